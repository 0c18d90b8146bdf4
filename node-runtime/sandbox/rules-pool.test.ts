import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Json } from '../contract/values.ts'
import type { RulesRunner } from '../ports/rules.ts'
import { bundleRules } from './rules-bundle.ts'
import { RulesPool } from './rules-pool.ts'

const GOOD = `
  export const init = (seed, options) => ({ seed, options, moves: 0 })
  export const legal = (state, seat) => (state.moves % 2 === seat ? ['go'] : [])
  export const apply = (state) => ({ ...state, moves: state.moves + 1 })
  export const outcome = (state) => (state.moves < 2 ? null : { scores: [1, 0], reason: 'end' })
  export const view = (state, seat) => ({ seat, moves: state.moves })
`
const BEGIN = { seed: 'seed', options: {}, seats: 2, viewer: 0 } as const

const open: RulesPool[] = []

function newPool(options?: ConstructorParameters<typeof RulesPool>[0]): RulesPool {
  const pool = new RulesPool(options)
  open.push(pool)
  return pool
}

async function rules(
  files: Record<string, string> | string,
  pool = newPool(),
  owner?: string,
): Promise<RulesRunner> {
  const all = typeof files === 'string' ? { 'rules/main.ts': files } : files
  const bundle = await bundleRules(
    {
      entry: 'rules/main.ts',
      readFile: (path) => {
        const text = all[path]
        return text === undefined ? Promise.reject(new Error('not found')) : Promise.resolve(text)
      },
    },
    pool,
  )
  return pool.runner(bundle, owner)
}

/** The good rules with one function replaced. */
function withFunction(name: string, body: string): string {
  const lines = GOOD.split('\n').filter((line) => !line.includes(`const ${name} =`))
  return [...lines, `export const ${name} = ${body}`].join('\n')
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close()))
})

describe('the rules pool', { timeout: 60_000 }, () => {
  it('runs rules written in TypeScript that import files of their repository', async () => {
    const runner = await rules({
      'rules/main.ts': `
        import type { Rules } from '/.dharma/sdk.js'
        import { step } from './parts/step.ts'
        ${GOOD.replace('state.moves + 1', 'step(state.moves as number)')}`,
      'rules/parts/step.ts': `
        import { ONE } from '../../shared/one.ts'
        export const step = (n: number): number => n + ONE`,
      'shared/one.ts': 'export const ONE: number = 1',
    })
    const first = await runner.start(BEGIN)
    expect(first).toEqual({
      kind: 'ok',
      state: { seed: 'seed', options: {}, moves: 0 },
      outcome: null,
      legal: [['go'], []],
      view: { kind: 'ok', view: { seat: 0, moves: 0 } },
    })
    if (first.kind !== 'ok') return
    const question = { state: first.state, seat: 0, action: 'go', seats: 2, viewer: 1 }
    const second = await runner.play(question)
    expect(second).toMatchObject({ legal: [[], ['go']], view: { view: { seat: 1, moves: 1 } } })
    if (second.kind !== 'ok') return
    expect(await runner.play({ ...question, state: second.state, seat: 1 })).toMatchObject({
      outcome: { scores: [1, 0], reason: 'end' },
      legal: [[], []],
    })
    expect(await runner.view({ state: second.state, viewer: 'spectator' })).toEqual({
      kind: 'ok',
      view: { seat: 'spectator', moves: 1 },
    })
  })

  it.each([
    ['another action', { action: 'stop' }],
    ['an action of another seat', { seat: 1 }],
    ['an action of a seat that there is not', { seat: 7 }],
    ['an action that only looks alike', { action: ['go'] }],
    ['an action after the end', { state: { moves: 2 } }],
  ])('knows %s as illegal', async (_what, change) => {
    const runner = await rules(GOOD)
    const question = { state: { moves: 0 }, seat: 0, action: 'go', seats: 2, viewer: 0 }
    expect(await runner.play({ ...question, ...change })).toEqual({ kind: 'illegal' })
  })

  it.each([
    ['nested deeper than any stack', JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)],
    ['larger than any position', 'x'.repeat(300_000)],
  ] as [string, Json][])(
    'knows an action %s as illegal, played or replayed',
    async (_what, action) => {
      const runner = await rules(GOOD)
      const question = { state: { moves: 0 }, seat: 0, action, seats: 2, viewer: 0 }
      expect(await runner.play(question)).toEqual({ kind: 'illegal' })
      const go = { seat: 0, action: 'go' }
      for (const before of [[], [go]]) {
        const actions = [...before, { seat: before.length, action }]
        expect(await runner.replay({ ...BEGIN, actions })).toEqual({
          kind: 'illegal',
          ply: before.length,
        })
      }
      const asked = { state: action, viewer: 0, seed: '', options: action, seats: 2 }
      for (const answer of [await runner.view(asked), await runner.start(asked)]) {
        expect(answer.kind).not.toBe('illegal')
      }
    },
  )

  it('compares actions as values, whatever the order of their keys', async () => {
    const runner = await rules(
      withFunction('legal', '(s, seat) => seat ? [] : [{ from: [0, 1], to: { x: 1, y: null } }]'),
    )
    const play = (action: Json): ReturnType<RulesRunner['play']> =>
      runner.play({ state: { moves: 0 }, seat: 0, action, seats: 2, viewer: 0 })
    expect(await play({ to: { y: null, x: 1 }, from: [0, 1] })).toMatchObject({ kind: 'ok' })
    expect(await play({ to: { y: null, x: 1 }, from: [1, 0] })).toEqual({ kind: 'illegal' })
    expect(await play({ to: { x: 1 }, from: [0, 1] })).toEqual({ kind: 'illegal' })
  })

  it.each([
    ['chance', '() => Math.random()', /no chance/],
    ['the clock', '() => Date.now()', /Date/],
    ['the environment', '() => process.env', /process/],
    ['the network', '() => fetch("http://127.0.0.1/")', /fetch/],
    ['require', '() => require("node:fs")', /require/],
    ['a cyclic position', '() => { const a = {}; a.a = a; return a }', /circular/],
    ['no position', '() => undefined', /no JSON/],
    ['a thrown error', '() => { throw new TypeError("no such options") }', /no such options/],
    ['a thrown non-error', '() => { throw null }', /something/],
  ])('says that rules failed that use %s', async (_what, init, reason) => {
    const runner = await rules(withFunction('init', init))
    expect(await runner.start(BEGIN)).toEqual({
      kind: 'failed',
      reason: expect.stringMatching(reason) as string,
    })
  })

  it.each([
    ['an endless loop', '() => { for (;;); }', /too long/],
    ['endless recursion', '() => { const f = () => 1 + f(); return f() }', /stack overflow/],
    ['all the memory', '() => { const a = []; for (;;) a.push(new Uint8Array(1e6)) }', /memory/],
    ['the memory in pieces', '() => { const a = []; for (;;) a.push([1, 2, 3]) }', /memory/],
    ['the memory in text', '() => { let a = "x"; for (;;) a += a + 1 }', /memory/],
    [
      'the memory, and hide it',
      '() => { try { const a = []; for (;;) a.push(new Uint8Array(1e6)) } catch { return {moves: 0} } }',
      /memory/,
    ],
    ['a position that is too large', '() => "x".repeat(300000)', /room/],
    [
      'a position that is nested too deeply',
      '() => { let a = []; for (let i = 0; i < 80; i++) a = [a]; return a }',
      /deep/,
    ],
  ])('leaves undecided what takes %s, and goes on afterwards', async (_what, init, reason) => {
    const pool = newPool({ size: 1 })
    const runner = await rules(withFunction('init', init), pool)
    expect(await runner.start(BEGIN)).toEqual({
      kind: 'unavailable',
      lasting: true,
      reason: expect.stringMatching(reason) as string,
    })
    const good = await rules(GOOD, pool)
    expect(await good.start(BEGIN)).toMatchObject({ kind: 'ok' })
  })

  it.each([
    ['nobody can move', 'legal', '() => []'],
    ['legal actions are no list', 'legal', '() => "go"'],
    ['an outcome has a wrong shape', 'outcome', '() => ({ winner: 0 })'],
    ['an outcome scores too few seats', 'outcome', '() => ({ scores: [1], reason: "" })'],
    ['a score is not a number', 'outcome', '() => ({ scores: [1, NaN], reason: "" })'],
    ['a reason is a book', 'outcome', '() => ({ scores: [1, 0], reason: "x".repeat(201) })'],
  ])('says that rules failed when %s', async (_what, name, body) => {
    const runner = await rules(withFunction(name, body))
    expect(await runner.start(BEGIN)).toMatchObject({ kind: 'failed' })
  })

  it('lets several seats act in one position', async () => {
    const runner = await rules(withFunction('legal', '() => ["go"]'))
    expect(await runner.start(BEGIN)).toMatchObject({ kind: 'ok', legal: [['go'], ['go']] })
  })

  it('decides about a position whatever becomes of its view', async () => {
    const good = await (await rules(GOOD)).start(BEGIN)
    for (const view of ['() => { throw 1 }', '() => { for (;;); }', '() => undefined']) {
      const seen = await (await rules(withFunction('view', view))).start(BEGIN)
      expect(seen).toMatchObject({ ...good, view: {} })
      expect(seen).not.toMatchObject({ view: { kind: 'ok' } })
    }
    const meddling = await rules(
      withFunction('view', '(state) => { state.moves = 99; return 1 }').replace(
        'export const legal = (state, seat) => (',
        'export const legal = (state, seat) => (state.seed = "spoiled", ',
      ),
    )
    expect(await meddling.start(BEGIN)).toMatchObject({ state: { seed: 'seed', moves: 0 } })
  })

  it('keeps nothing between calls but what the functions return', async () => {
    const runner = await rules(`
      let calls = 0
      export const init = () => { globalThis.left = 'behind'; return { calls: ++calls } }
      export const legal = (state, seat) => (seat === 0 ? ['go'] : [])
      export const apply = () => ({ calls: ++calls, left: globalThis.left ?? null })
      export const outcome = () => null
      export const view = () => ++calls`)
    expect(await runner.start(BEGIN)).toMatchObject({ state: { calls: 1 } })
    expect(await runner.start(BEGIN)).toMatchObject({ state: { calls: 1 } })
    const actions = [0, 0, 0].map(() => ({ seat: 0, action: 'go' }))
    const question = { state: {}, seat: 0, action: 'go', seats: 2, viewer: 0 }
    expect(await runner.play(question)).toMatchObject({ state: { calls: 1, left: null } })
    expect(await runner.replay({ ...BEGIN, actions })).toMatchObject({
      position: { state: { calls: 1, left: null } },
    })
    expect(await runner.view({ state: {}, viewer: 0 })).toEqual({ kind: 'ok', view: 1 })
  })

  it('is not fooled by rules that change the built-ins', async () => {
    const runner = await rules(`
      JSON.parse = () => 'forged'
      JSON.stringify = () => '"forged"'
      Object.prototype.toJSON = () => 'forged'
      Array.isArray = () => true
      ${GOOD}`)
    // Their own values are theirs to spoil; what leaves the sandbox is still checked.
    expect(await runner.start(BEGIN)).toMatchObject({ kind: 'failed' })
    expect(({} as Record<string, unknown>)['toJSON']).toBeUndefined()
  })

  it.each([
    [
      'throws what is no text where a text belongs',
      'throw { message: { toString: 1, valueOf: 1 } }',
    ],
    ['throws a promise', 'throw new Promise(() => {})'],
    [
      'throws what lies a hundred thousand deep',
      'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; throw a',
    ],
  ])('says that rules failed when one %s, each time', async (_what, body) => {
    const runner = await rules(withFunction('init', `() => { ${body} }`))
    const first = await runner.start(BEGIN)
    expect(first.kind).toBe('failed')
    expect(await runner.start(BEGIN)).toEqual(first)
  })

  it('goes on after what breaks an interpreter, and blames nobody for it', async () => {
    const pool = newPool({ size: 1 })
    const init = `() => {
      let a = []; for (let i = 0; i < 1e5; i++) a = [a]
      try { JSON.stringify(a) } catch {}
      return { moves: 0 }
    }`
    const runner = await rules(withFunction('init', init), pool)
    // How deep is too deep depends on how far the engine's code is compiled.
    for (let n = 0; n < 2; n++) {
      const answer = await runner.start(BEGIN)
      if (answer.kind !== 'ok') expect(answer).toMatchObject({ kind: 'unavailable', lasting: true })
    }
    expect(await (await rules(GOOD, pool)).start(BEGIN)).toMatchObject({ kind: 'ok' })
  })

  it('takes a position with the key __proto__ as data', async () => {
    const runner = await rules(
      withFunction('view', `() => JSON.parse('{"__proto__":{"admin":true}}')`),
    )
    const answer = await runner.view({ state: {}, viewer: 0 })
    expect(answer).toMatchObject({ kind: 'ok' })
    if (answer.kind !== 'ok') return
    expect((answer.view as Record<string, Json>)['admin']).toBeUndefined()
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it('ends what takes no fuel by the clock, and blames nobody', async () => {
    const pool = newPool({ size: 1, callLimitMs: 1_000 })
    const runner = await rules(
      GOOD.replace(
        '({ seed, options, moves: 0 })',
        '({ seed, options, moves: /(a+)+$/.test("a".repeat(options.length ?? 0) + "b") ? 1 : 0 })',
      ),
      pool,
    )
    expect(await runner.start({ ...BEGIN, options: { length: 40 } })).toMatchObject({
      kind: 'unavailable',
      lasting: false,
    })
    expect(await runner.start(BEGIN)).toMatchObject({ legal: [['go'], []] })
  })

  it('lets others play while one hangs', async () => {
    const pool = newPool({ size: 2, callLimitMs: 2_000 })
    const hang = '() => /(a+)+$/.test("a".repeat(60) + "b")'
    const hanging = await rules(withFunction('init', hang), pool, 'hanging')
    const good = await rules(GOOD, pool, 'good')
    const hung = Promise.all(Array.from({ length: 2 }, () => hanging.start(BEGIN)))
    let isOver = false
    void hung.then(() => (isOver = true))
    for (let round = 0; round < 20; round++) {
      expect(await good.start(BEGIN)).toMatchObject({ kind: 'ok' })
    }
    expect(isOver).toBe(false)
    expect((await hung).map(({ kind }) => kind)).toEqual(['unavailable', 'unavailable'])
  })

  it('needs few threads for many kinds of sessions', async () => {
    const pool = newPool({ size: 2, idleMs: 50 })
    const runners = await Promise.all(
      Array.from({ length: 40 }, (_, kind) => rules(`${GOOD}\n// ${kind}`, pool)),
    )
    expect(new Set(runners.map(({ hash }) => hash)).size).toBe(40)
    const answers = await Promise.all(runners.map((runner) => runner.start(BEGIN)))
    expect(answers.every(({ kind }) => kind === 'ok')).toBe(true)
    expect(pool.threads).toBeLessThanOrEqual(2)
    await expect.poll(() => pool.threads).toBe(0)
    expect(await runners[0]?.start(BEGIN)).toMatchObject({ kind: 'ok' })
  })

  it('runs the Connect Four of event-games, move by move and as a replay', async () => {
    const file = new URL('../../extensions/event-games/rules/connect-four.ts', import.meta.url)
    const runner = await rules(await readFile(file, 'utf8'))
    const columns = [3, 0, 3, 0, 3, 0, 3]
    const actions = columns.map((action, ply) => ({ seat: ply % 2, action }))
    const views: unknown[] = []
    let answer = await runner.start(BEGIN)
    for (const { seat, action } of [...actions, null].map(
      (next) => next ?? { seat: -1, action: 0 },
    )) {
      if (answer.kind !== 'ok') throw new Error(JSON.stringify(answer))
      views.push(answer.view)
      if (seat < 0) break
      const next = await runner.play({ state: answer.state, seat, action, seats: 2, viewer: 0 })
      if (next.kind === 'illegal') throw new Error('illegal')
      answer = next
    }
    if (answer.kind !== 'ok') throw new Error(JSON.stringify(answer))
    expect(answer.outcome).toEqual({ scores: [1, 0], reason: 'four in a row' })
    const { state, outcome, legal } = answer
    expect(await runner.replay({ ...BEGIN, actions, views: { fromPly: 0, count: 100 } })).toEqual({
      kind: 'ok',
      position: { state, outcome, legal },
      views: views.map((view, ply) => ({ ply, view })),
      nextPly: null,
    })
    expect(
      await runner.replay({ ...BEGIN, actions, views: { fromPly: 2, count: 3 } }),
    ).toMatchObject({
      views: [2, 3, 4].map((ply) => ({ ply, view: views[ply] })),
      nextPly: 5,
    })
    expect(await runner.replay({ ...BEGIN, actions: [...actions, ...actions] })).toEqual({
      kind: 'illegal',
      ply: 7,
    })
  })

  it('replays long games page by page, each page of bounded size', async () => {
    const runner = await rules(`
      export const init = () => ({ moves: 0 })
      export const legal = ({ moves }, seat) => (seat === moves % 2 ? [0] : [])
      export const apply = ({ moves }) => ({ moves: moves + 1 })
      export const outcome = () => null
      export const view = ({ moves }) => String(moves).padEnd(200000, '.')`)
    const actions = Array.from({ length: 600 }, (_, ply) => ({ seat: ply % 2, action: 0 }))
    const page = await runner.replay({ ...BEGIN, actions, views: { fromPly: 590, count: 100 } })
    if (page.kind !== 'ok') throw new Error(JSON.stringify(page))
    expect(page.position.state).toEqual({ moves: 600 })
    expect(page.views.map(({ ply }) => ply)).toEqual([590, 591, 592, 593, 594, 595])
    expect(page.nextPly).toBe(596)
    const rest = await runner.replay({ ...BEGIN, actions, views: { fromPly: 596, count: 100 } })
    expect(rest).toMatchObject({
      views: [596, 597, 598, 599, 600].map((ply) => ({ ply })),
      nextPly: null,
    })
  })

  it('says so when too much is waiting', async () => {
    const pool = newPool({ size: 1 })
    const runner = await rules(GOOD, pool, 'flood')
    const calm = await rules(`${GOOD}//`, pool, 'calm')
    const flood = Array.from({ length: 400 }, () => runner.start(BEGIN))
    expect(await calm.start(BEGIN)).toMatchObject({ kind: 'ok' })
    const kinds = (await Promise.all(flood)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'unavailable').length).toBeGreaterThan(100)
    expect(kinds.slice(0, 256).every((kind) => kind === 'ok')).toBe(true)
  })
})

import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { SessionDescriptor } from '../contract/sessions.ts'
import type { Json } from '../contract/values.ts'
import { RulesSandbox } from './rules-sandbox.ts'

const DESCRIPTOR: SessionDescriptor = {
  system: 'org.example.games',
  kind: 'test',
  seats: ['a', 'b'],
  seed: 'seed',
  options: {},
  context: null,
}

const GOOD = `
  export const init = (seed, options) => ({ seed, options, moves: 0 })
  export const legal = (state, seat) => (state.moves % 2 === seat ? ['go'] : [])
  export const apply = (state) => ({ ...state, moves: state.moves + 1 })
  export const outcome = (state) => (state.moves < 2 ? null : { scores: [1, 0], reason: 'end' })
  export const view = (state, seat) => ({ seat, moves: state.moves })
`

const open: RulesSandbox[] = []

function sandbox(files: Record<string, string>, callLimitMs?: number): RulesSandbox {
  const rules = new RulesSandbox(
    {
      entry: 'rules/main.ts',
      readFile: (path) => {
        const text = files[path]
        return text === undefined ? Promise.reject(new Error('not found')) : Promise.resolve(text)
      },
    },
    callLimitMs,
  )
  open.push(rules)
  return rules
}

/** The good rules with one function replaced. */
function withFunction(name: string, body: string): RulesSandbox {
  const lines = GOOD.split('\n').filter((line) => !line.includes(`const ${name} =`))
  return sandbox({ 'rules/main.ts': [...lines, `export const ${name} = ${body}`].join('\n') })
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((rules) => rules.close()))
})

describe('the rules sandbox', { timeout: 30_000 }, () => {
  it('runs rules written in TypeScript that import files of their repository', async () => {
    const rules = sandbox({
      'rules/main.ts': `
        import type { Rules } from '/.dharma/sdk.js'
        import { step } from './parts/step.ts'
        ${GOOD.replace('state.moves + 1', 'step(state.moves as number)')}`,
      'rules/parts/step.ts': `
        import { ONE } from '../../shared/one.ts'
        export const step = (n: number): number => n + ONE`,
      'shared/one.ts': 'export const ONE: number = 1',
    })
    await rules.load()
    const first = await rules.start(DESCRIPTOR)
    expect(first).toEqual({
      state: { seed: 'seed', options: {}, moves: 0 },
      outcome: null,
      legal: [['go'], []],
    })
    const second = await rules.advance(DESCRIPTOR, first.state, 0, 'go')
    expect(second.legal).toEqual([[], ['go']])
    const third = await rules.advance(DESCRIPTOR, second.state, 1, 'go')
    expect(third.outcome).toEqual({ scores: [1, 0], reason: 'end' })
    expect(third.legal).toEqual([[], []])
    expect(await rules.view(third.state, 'spectator')).toEqual({ seat: 'spectator', moves: 2 })
  })

  it.each([
    ['an endless loop', '() => { for (;;); }', /too long/],
    ['endless recursion', '() => { const f = () => 1 + f(); return f() }', /stack overflow/],
    ['all the memory', '() => { const a = []; for (;;) a.push(new Uint8Array(1e6)) }', /memory/],
    ['the memory in pieces', '() => { const a = []; for (;;) a.push([1, 2, 3]) }', /memory/],
    ['the memory in text', '() => { let a = "x"; for (;;) a += a + 1 }', /memory/],
    ['chance', '() => Math.random()', /no chance/],
    ['the clock', '() => Date.now()', /Date/],
    ['the environment', '() => process.env', /process/],
    ['the network', '() => fetch("http://127.0.0.1/")', /fetch/],
    ['require', '() => require("node:fs")', /require/],
    ['a cyclic position', '() => { const a = {}; a.a = a; return a }', /circular/],
    ['no position', '() => undefined', /./],
    ['a position that is too large', '() => "x".repeat(300000)', /room/],
    ['a thrown error', '() => { throw new TypeError("no such options") }', /no such options/],
    ['a thrown non-error', '() => { throw null }', /./],
  ])('refuses rules that use %s', async (_what, init, message) => {
    const rules = withFunction('init', init)
    await rules.load()
    await expect(rules.start(DESCRIPTOR)).rejects.toMatchObject({
      code: 'RULES_FAILED',
      message: expect.stringMatching(message) as string,
    })
  })

  it.each([
    ['nobody can move', 'legal', '() => []'],
    ['several seats can move', 'legal', '() => ["go"]'],
    ['legal actions are no list', 'legal', '() => "go"'],
    ['an outcome has a wrong shape', 'outcome', '() => ({ winner: 0 })'],
    ['an outcome scores too few seats', 'outcome', '() => ({ scores: [1], reason: "" })'],
    ['a score is not a number', 'outcome', '() => ({ scores: [1, NaN], reason: "" })'],
  ])('refuses positions in which %s', async (_what, name, body) => {
    await expect(withFunction(name, body).start(DESCRIPTOR)).rejects.toMatchObject({
      code: 'RULES_FAILED',
    })
  })

  it.each([
    ['outside the repository', '../../other/secret.ts'],
    ['of a package', 'node:fs'],
    ['by an absolute path', '/etc/passwd'],
    ['by an address', 'https://127.0.0.1/rules.js'],
    ['of a missing file', './missing.ts'],
  ])('refuses an import %s', async (_what, specifier) => {
    const rules = sandbox({ 'rules/main.ts': `import ${JSON.stringify(specifier)}\n${GOOD}` })
    await expect(rules.load()).rejects.toMatchObject({ code: 'RULES_FAILED' })
  })

  it('refuses a module that lacks a function, or that is not TypeScript', async () => {
    const partial = sandbox({ 'rules/main.ts': 'export const init = () => 0' })
    await expect(partial.load()).rejects.toMatchObject({ code: 'RULES_FAILED' })
    const broken = sandbox({ 'rules/main.ts': 'export const = 1' })
    await expect(broken.load()).rejects.toMatchObject({ code: 'RULES_FAILED' })
  })

  it('keeps nothing between calls but what the functions return', async () => {
    const rules = sandbox({
      'rules/main.ts': `
        let calls = 0
        export const init = () => { globalThis.left = 'behind'; return { calls: ++calls } }
        export const legal = (state, seat) => (seat === 0 ? ['go'] : [])
        export const apply = () => ({ calls: ++calls, left: globalThis.left ?? null })
        export const outcome = () => null
        export const view = () => ++calls`,
    })
    expect((await rules.start(DESCRIPTOR)).state).toEqual({ calls: 1 })
    expect((await rules.start(DESCRIPTOR)).state).toEqual({ calls: 1 })
    expect((await rules.advance(DESCRIPTOR, {}, 0, 'go')).state).toEqual({ calls: 1, left: null })
    expect(await rules.view({}, 0)).toBe(1)
  })

  it('is not fooled by rules that change the built-ins', async () => {
    const rules = sandbox({
      'rules/main.ts': `
        JSON.parse = () => 'forged'
        JSON.stringify = () => '"forged"'
        Object.prototype.toJSON = () => 'forged'
        Array.isArray = () => true
        ${GOOD}`,
    })
    // Their own values are theirs to spoil; what leaves the sandbox is still checked.
    await expect(rules.start(DESCRIPTOR)).rejects.toMatchObject({ code: 'RULES_FAILED' })
    expect(({} as Record<string, unknown>)['toJSON']).toBeUndefined()
  })

  it('takes a position with the key __proto__ as data', async () => {
    const rules = withFunction('view', `() => JSON.parse('{"__proto__":{"admin":true}}')`)
    await rules.load()
    const view = (await rules.view({}, 0)) as Record<string, Json>
    expect(view['admin']).toBeUndefined()
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it('ends what takes no fuel by the clock, and goes on afterwards', async () => {
    const rules = sandbox(
      {
        'rules/main.ts': GOOD.replace(
          '({ seed, options, moves: 0 })',
          '({ seed, options, moves: /(a+)+$/.test("a".repeat(options.length ?? 0) + "b") ? 1 : 0 })',
        ),
      },
      1_000,
    )
    await expect(rules.start({ ...DESCRIPTOR, options: { length: 40 } })).rejects.toMatchObject({
      code: 'RULES_FAILED',
    })
    expect((await rules.start(DESCRIPTOR)).legal).toEqual([['go'], []])
  })

  it('runs the Connect Four of event-games', async () => {
    const file = new URL('../../extensions/event-games/rules/connect-four.ts', import.meta.url)
    const rules = sandbox({ 'rules/main.ts': await readFile(file, 'utf8') })
    let position = await rules.start(DESCRIPTOR)
    for (const [ply, column] of [3, 0, 3, 0, 3, 0, 3].entries()) {
      expect(position.legal[ply % 2]).toContain(column)
      position = await rules.advance(DESCRIPTOR, position.state, ply % 2, column)
    }
    expect(position.outcome).toEqual({ scores: [1, 0], reason: 'four in a row' })
  })
})

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../testing/cloud-nodes.ts'
import { keyOf, keysOf, signTestEntry } from '../../testing/entries.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { Membership } from './membership.ts'

const CLOUD = keyOf('cloud')
const PROTOCOL = 'dharma/machines/2'

let folder: string
const machines: Machine[] = []

interface Machine {
  name: string
  network: FakeNetwork
  membership: Membership
  warnings: string[]
  errors: unknown[]
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-membership-'))
})
afterEach(async () => {
  await Promise.all(machines.splice(0).map(({ membership }) => membership.close()))
  await rm(folder, { recursive: true, force: true })
})

async function start(
  name: string,
  options: { nowMs?: number; more?: object } = {},
): Promise<Machine> {
  const keys = keysOf(name)
  const network = new FakeNetwork(keyOf(name))
  const warnings: string[] = []
  const errors: unknown[] = []
  const { nowMs = 1_000_000, more = {} } = options
  const own = join(folder, name)
  await mkdir(own, { recursive: true })
  const membership = await Membership.open({
    folder: own,
    cloud: CLOUD,
    sign: (sequence) => signTestEntry({ keys, cloud: CLOUD, name, sequence, more }),
    network,
    log: {
      info: () => {},
      warn: (message) => warnings.push(message),
      error: (_, fields) => errors.push(fields?.['error']),
    },
    now: () => nowMs,
  })
  membership.announceKnown()
  const machine = { name, network, membership, warnings, errors }
  machines.push(machine)
  return machine
}

function link(a: Machine, b: Machine): void {
  a.membership.linkOpened(b.membership.ownEntry)
  b.membership.linkOpened(a.membership.ownEntry)
  a.network.link(b.network)
}

/** Lets everything that is said arrive, until nobody says anything more. */
async function settle(): Promise<void> {
  let quiet = 0
  while (quiet < 3) {
    const heard = machines.filter(({ network }) => network.deliver())
    quiet = heard.length > 0 ? 0 : quiet + 1
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const known = ({ membership }: Machine): string[] =>
  membership
    .list()
    .map(({ name }) => name)
    .sort()

describe('the machines of a cloud', () => {
  it('are known to all, over whom they are linked with, and what they say anew too', async () => {
    const a = await start('a')
    const b = await start('b')
    const c = await start('c', { more: { name: 'c', region: 'north' } })
    link(a, b)
    link(b, c)
    await settle()
    expect([a, b, c].map(known)).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ])
    expect(a.network.reached).toContain(c.network.machine)
    c.membership.signAnew()
    await settle()
    const machine = c.network.machine
    const told: string[] = []
    a.membership.on('machineLearned', ({ form }) => told.push(form.body))
    c.membership.signAnew()
    await settle()
    // A field that this version does not know goes on to those who may.
    expect(told).toEqual([c.membership.ownEntry.form.body])
    expect(told[0]).toContain('north')
    expect(a.membership.list().find((listed) => listed.machine === machine)?.online).toBe(false)
  })

  it('are told when the link takes more, and not before', async () => {
    const a = await start('a')
    const b = await start('b')
    const c = await start('c')
    link(a, c)
    await settle()
    a.network.takesMore = false
    link(a, b)
    await settle()
    expect(known(b)).toEqual(['a', 'b'])
    a.network.drain(b.network.machine)
    await settle()
    expect(known(b)).toEqual(['a', 'b', 'c'])
  })

  it('are told to nobody who has ended that, though the link goes on', async () => {
    const [a, b, c] = [await start('a'), await start('b'), await start('c')]
    link(a, b)
    await settle()
    a.network.endProtocol(PROTOCOL, b.network)
    link(a, c)
    await settle()
    a.membership.signAnew()
    await settle()
    a.network.drain(b.network.machine)
    await settle()
    expect(known(a)).toEqual(['a', 'b', 'c'])
    expect(known(b)).toEqual(['a', 'b'])
  })

  it('are remembered, and the own entry is newer than ever, whatever the clock says', async () => {
    const a = await start('a')
    const b = await start('b')
    link(a, b)
    await a.membership.close()
    const { sequence } = a.membership.ownEntry
    const again = await start('a', { nowMs: 5 })
    expect(known(again)).toEqual(['a', 'b'])
    expect(again.membership.ownEntry.sequence).toBeGreaterThan(sequence)
    expect(again.membership.list().map(({ online }) => online)).toEqual([true, false])
  })

  it('are remembered by and by, if they are many, and none is lost by a stop meanwhile', async () => {
    const many = Array.from({ length: 300 }, (_, at) => ({
      form: signTestEntry({ keys: keysOf(`many ${at}`), cloud: CLOUD, name: `${at}` }).form,
      lastSeenMs: at,
    }))
    await mkdir(join(folder, 'a'))
    const path = join(folder, 'a', 'machines.json')
    await writeFile(path, JSON.stringify({ sequence: 1, machines: many }))
    const b = await start('b')
    const a = await start('a')
    expect(a.membership.list().length).toBeLessThan(100)
    expect(known(a)).toContain('299')
    link(a, b)
    await a.membership.close()
    await b.membership.close()
    const again = await start('a')
    await until(() => again.membership.list().length === 302)
  })

  it('learn it when others hold a later entry of them than they do', async () => {
    const a = await start('a')
    const b = await start('b')
    link(a, b)
    const later = signTestEntry({ keys: keysOf('a'), cloud: CLOUD, sequence: 2_000_000 })
    const bytes = Buffer.from(JSON.stringify({ entries: [later.form] }))
    expect(a.network.receive(PROTOCOL, b.network, bytes)).toBe(true)
    expect(a.membership.ownEntry.sequence).toBe(2_000_001)
  })

  it('are begun anew when their list is damaged, which is moved aside and said', async () => {
    await mkdir(join(folder, 'a'))
    const path = join(folder, 'a', 'machines.json')
    await writeFile(path, '{"sequence": 1, "machines": [{')
    const a = await start('a')
    expect(known(a)).toEqual(['a'])
    expect(a.warnings).toEqual(['the list of machines was damaged; it is begun anew'])
    expect(await readFile(`${path}.damaged`, 'utf8')).toContain('"machines": [{')
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ machines: [] })
  })
})

describe('what a member says of machines', () => {
  it('is taken in only when it is genuine and of this cloud', async () => {
    const a = await start('a')
    const b = await start('b')
    link(a, b)
    const genuine = signTestEntry({ keys: keysOf('c'), cloud: CLOUD, name: 'c' }).form
    const elsewhere = signTestEntry({ keys: keysOf('d'), cloud: keyOf('other'), name: 'd' }).form
    const forged = {
      ...signTestEntry({ keys: keysOf('e'), cloud: CLOUD, name: 'e' }).form,
      signature: genuine.signature,
    }
    const bytes = Buffer.from(JSON.stringify({ entries: [genuine, elsewhere, forged] }))
    expect(a.network.receive(PROTOCOL, b.network, bytes)).toBe(true)
    await until(() => known(a).length > 2)
    expect(known(a)).toEqual(['a', 'b', 'c'])
    expect(a.network.dropped).toEqual([])
  })

  it('costs about a kilobyte on a link that opens, where both know the same', async () => {
    const [a, b, c] = [await start('a'), await start('b'), await start('c')]
    link(a, b)
    link(b, c)
    await settle()
    const said: { kinds: string[]; sizeBytes: number } = { kinds: [], sizeBytes: 0 }
    a.network.onSent = (bytes) => {
      said.sizeBytes += bytes.length
      const { entries, ...more } = JSON.parse(Buffer.from(bytes).toString()) as { entries: [] }
      said.kinds.push(...Object.keys(more), ...entries.map(() => 'entry'))
    }
    link(a, c)
    await settle()
    expect(said.kinds).toEqual(['digests'])
    expect(said.sizeBytes).toBeLessThan(1_300)
  })

  it('closes the link if what is said in short does not fit', async () => {
    const [a, b] = [await start('a'), await start('b')]
    link(a, b)
    const digests = Array.from({ length: 32 }, () => '0'.repeat(32))
    const fits = (message: object): boolean =>
      a.network.receive(PROTOCOL, b.network, Buffer.from(JSON.stringify(message)))
    const named = (parts: unknown, known: unknown): object => ({
      entries: [],
      named: { parts, known },
    })
    expect(fits({ entries: [], digests })).toBe(true)
    // What a later version says more is passed over.
    expect(fits({ entries: [], digests, sketch: 'later' })).toBe(true)
    expect(fits({ entries: [], digests: digests.slice(1) })).toBe(false)
    // In so few bits somebody can make equal what is not.
    expect(fits({ entries: [], digests: digests.map((each) => each.slice(-12)) })).toBe(false)
    expect(fits({ entries: [], digests: [...digests.slice(1), 'z'.repeat(32)] })).toBe(false)
    expect(fits(named([31], [[keyOf('x'), 1]]))).toBe(true)
    expect(fits(named([32], []))).toBe(false)
    expect(fits(named([0], [['x', 1]]))).toBe(false)
    expect(fits(named([0], [[keyOf('x'), -1]]))).toBe(false)
    const many = Array.from({ length: 4_098 }, () => [keyOf('x'), Number.MAX_SAFE_INTEGER])
    expect(fits(named([0], many.slice(1)))).toBe(true)
    expect(fits(named([0], many))).toBe(false)
  })

  it('goes on to others only if it is no larger than such entries are', async () => {
    const largest = await start('largest', { more: { padding: 'x'.repeat(3_000) } })
    const larger = await start('larger', { more: { padding: 'x'.repeat(4_000) } })
    const [a, b, c] = [await start('a'), await start('b'), await start('c')]
    link(largest, a)
    link(larger, a)
    link(a, b)
    link(b, c)
    await settle()
    expect(known(a)).toEqual(['a', 'b', 'c', 'larger', 'largest'])
    expect(known(c)).toEqual(['a', 'b', 'c', 'largest'])
    expect(a.network.dropped).toEqual([])
    expect(b.network.dropped).toEqual([])
  })

  it('ends the link when much of it is forged', async () => {
    const a = await start('a')
    const b = await start('b')
    link(a, b)
    const { form } = signTestEntry({ keys: keysOf('c'), cloud: CLOUD })
    const entries = Array.from({ length: 60 }, (_, at) => ({
      body: form.body.replace('"sequence":1', `"sequence":${at + 2}`),
      signature: form.signature,
    }))
    a.network.receive(PROTOCOL, b.network, Buffer.from(JSON.stringify({ entries })))
    await until(() => a.network.dropped.length > 0)
    expect(a.network.dropped[0]).toBe(b.network.machine)
    expect(known(a)).toEqual(['a', 'b'])
  })

  it('never makes the machine throw, whatever it is', async () => {
    const a = await start('a')
    const b = await start('b')
    link(a, b)
    const { form } = signTestEntry({ keys: keysOf('c'), cloud: CLOUD, name: 'c' })
    const entry = fc.oneof(
      fc.record({
        body: fc.oneof(fc.string(), fc.json({ maxDepth: 80 }), fc.constant(form.body)),
        signature: fc.constantFrom(form.signature, '0'.repeat(128)),
      }),
      fc.anything(),
    )
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
        const text = JSON.stringify({ entries }, (_, value: unknown) =>
          typeof value === 'bigint' ? String(value) : value,
        )
        a.network.receive(PROTOCOL, b.network, Buffer.from(text))
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(a.network.receive(PROTOCOL, b.network, bytes)).toBe(false)
      }),
    )
    expect(a.errors).toEqual([])
    expect(known(a).filter((name) => name !== 'c')).toEqual(['a', 'b'])
  })
})

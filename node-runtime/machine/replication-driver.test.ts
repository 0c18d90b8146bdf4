import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatVersion } from '../core/db/hybrid-clock.ts'
import { encodeRecord, signRecord } from '../core/db/signed-record.ts'
import type { HeldRecord } from '../core/db/signed-record.ts'
import { MAX_ATTESTATION_BODY_BYTES, signAttestation } from '../core/forms/attestation.ts'
import { encodeKey, hash, keyPair, sign, toHex } from '../core/keys.ts'
import { encodeFrame, frameRecords } from '../core/sync/messages.ts'
import type { Log } from '../ports/log.ts'
import type { SegmentStore } from '../ports/segment-store.ts'
import type { SignatureCheck } from '../ports/verifier.ts'
import type { Codec } from '../swarm/codec.ts'
import { MemoryLinks, MemoryRecordStore } from '../testing/memory-record-store.ts'
import { itemOf } from './record-intake.ts'
import { ReplicationDriver } from './replication-driver.ts'
import { VerifyPool } from './verify-pool.ts'

const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }
const cloud = encodeKey(hash(Buffer.from('cloud')))
const system = encodeKey(hash(Buffer.from('system')))
const person = keyPair(new Uint8Array(32).fill(1))
const machine = keyPair(new Uint8Array(32).fill(2))
const attestation = signAttestation(
  {
    person: encodeKey(person.publicKey),
    machine: encodeKey(machine.publicKey),
    cloud,
    sequence: 1,
    expiresMs: 2 ** 45,
  },
  person.secretKey,
)
const signer = { cloud, attestation, machineSecretKey: machine.secretKey }

function record(
  id: string,
  timeMs = Date.now() - 60_000,
  value: unknown = { text: id },
  by = signer,
): HeldRecord {
  return signRecord(
    {
      system,
      collection: 'notes',
      author: by.attestation.person,
      id,
      version: formatVersion({ timeMs, counter: 0 }),
      rule: 'author',
      scope: 'set',
      partition: null,
      schema: null,
      value: value as never,
    },
    by,
  )
}

interface Machine {
  store: MemoryRecordStore
  driver: ReplicationDriver
}

const pool = new VerifyPool(2)
const open: ReplicationDriver[] = []

afterEach(() => {
  for (const driver of open.splice(0)) driver.close()
})

async function start(
  links: MemoryLinks,
  name: string,
  records: readonly HeldRecord[] = [],
  segments?: SegmentStore,
): Promise<Machine> {
  const store = new MemoryRecordStore()
  await write(store, records)
  const driver = await ReplicationDriver.open({
    machine: name,
    cloud,
    store,
    network: links.join(name),
    verifier: pool,
    now: Date.now,
    random: Math.random,
    log: quiet,
    ...(segments === undefined ? {} : { segments }),
  })
  open.push(driver)
  return { store, driver }
}

async function write(store: MemoryRecordStore, records: readonly HeldRecord[]): Promise<void> {
  await store.accept({
    records: records.map((one) => ({ record: one, verdict: '' })),
    attestations: [attestation],
  })
}

describe('two machines', () => {
  it('hold the same after they met, and what is written later is at the other at once', async () => {
    const links = new MemoryLinks()
    const a = await start(links, 'a', [record('one'), record('two')])
    const b = await start(links, 'b', [record('three')])
    links.link('a', 'b')
    await vi.waitFor(() => expect(a.driver.inStepMs.has('b')).toBe(true))
    await vi.waitFor(() => expect(b.driver.inStepMs.has('a')).toBe(true))
    expect(a.store.count).toBe(3)
    expect(b.store.count).toBe(3)
    await write(a.store, [record('four', Date.now())])
    await vi.waitFor(() => expect(b.store.count).toBe(4))
    // A newer record takes the older one's place everywhere.
    await write(b.store, [record('one', Date.now(), { text: 'changed' })])
    await vi.waitFor(async () => {
      const [old] = await a.store.byId32([{ version: '', id32: record('one').id32 }])
      expect(old).toBeUndefined()
    })
    expect(a.store.count).toBe(4)
  })

  it('take nothing that was not signed by whom it names, and end the link for it', async () => {
    const links = new MemoryLinks()
    const b = await start(links, 'b')
    const stranger = await start(links, 'z')
    links.link('b', 'z')
    await vi.waitFor(() => expect(b.driver.inStepMs.has('z')).toBe(true))
    stranger.driver.close()
    const forged = Array.from({ length: 20 }, (_, i) => {
      const good = record(`forged ${i}`, Date.now())
      const signature = new Uint8Array(64).fill(i)
      const [first] = good.signatures
      return { ...good, signatures: [{ ...first!, signature }] }
    })
    const network = links.join('z')
    const protocol = network.openProtocol({
      name: 'dharma/records/2',
      codec: { maxBytes: 1e6, encode: (bytes: Uint8Array) => bytes, decode: (bytes) => bytes },
      received: () => {},
    })
    const [frame] = frameRecords(
      forged.map((one) => ({
        item: itemOf(one),
        bytes: encodeRecord(one),
        attestations: [attestation.form],
      })),
    )
    protocol.send('b', encodeFrame('pushed', 100, frame!.body))
    await vi.waitFor(() => {
      protocol.send('b', Uint8Array.of(6))
      expect(links.isLinked('b', 'z')).toBe(false)
    })
    expect(b.store.count).toBe(0)
  })

  it('hold the same however many persons wrote, with attestations as long as can be', async () => {
    const links = new MemoryLinks()
    const padding = 'x'.repeat(MAX_ATTESTATION_BODY_BYTES - attestation.form.body.length - 20)
    const persons = Array.from({ length: 250 }, (_, i) => {
      const keys = keyPair(hash(Buffer.from(`person ${i}`)))
      const { hash: _hash, form: _form, ...statement } = attestation
      const own = { ...statement, person: encodeKey(keys.publicKey), note: padding }
      return { ...signer, attestation: signAttestation(own, keys.secretKey) }
    })
    const a = await start(links, 'a')
    const b = await start(links, 'b')
    links.link('a', 'b')
    await vi.waitFor(() => expect(a.driver.inStepMs.has('b')).toBe(true))
    const reading = vi.spyOn(a.store, 'byId32')
    await a.store.accept({
      records: persons.map((by) => ({
        record: record('one', undefined, undefined, by),
        verdict: '',
      })),
      attestations: persons.map((by) => by.attestation),
    })
    await vi.waitFor(() => expect(b.store.count).toBe(250), { timeout: 20_000 })
    expect(links.isLinked('a', 'b')).toBe(true)
    // Only so many are read at a time as fill a few frames; the rest is asked for again.
    const asked = reading.mock.calls.reduce((sum, [items]) => sum + items.length, 0)
    expect(asked).toBeGreaterThan(250)
  }, 30_000)

  it('send nothing that the other must refuse', async () => {
    const links = new MemoryLinks()
    const network = links.join('a')
    const opened = vi.spyOn(network, 'openProtocol')
    vi.spyOn(links, 'join').mockReturnValue(network)
    await start(links, 'a')
    const codec = opened.mock.calls[0]?.[0].codec as Codec<Uint8Array>
    const longest = new Uint8Array(codec.maxBytes)
    expect(codec.decode(codec.encode(longest))).toEqual(longest)
    expect(() => codec.encode(new Uint8Array(codec.maxBytes + 1))).toThrow(RangeError)
  })

  it('go on after a disk that was full', async () => {
    const links = new MemoryLinks()
    await start(links, 'a', [record('one'), record('two')])
    const b = await start(links, 'b')
    b.store.failure = new Error('no room')
    links.link('a', 'b')
    await vi.waitFor(() => expect(b.store.failed).toBeGreaterThan(0))
    expect(b.store.count).toBe(0)
    expect(b.driver.inStepMs.size).toBe(0)
    b.store.failure = null
    await vi.waitFor(() => expect(b.store.count).toBe(2), { timeout: 20_000 })
  })

  it('get back what the disk of one of them lost', async () => {
    const links = new MemoryLinks()
    const records = Array.from({ length: 100 }, (_, i) => record(`note ${i}`))
    await start(links, 'a', records)
    const b = await start(links, 'b', records)
    links.link('a', 'b')
    await vi.waitFor(() => expect(b.driver.inStepMs.has('a')).toBe(true))
    b.store.lose(records.slice(20, 30).map(({ id32 }) => toHex(id32)))
    expect(b.store.count).toBe(90)
    await vi.waitFor(() => expect(b.store.count).toBe(100))
  })

  it('do not take for lost what comes in while they look for what is', async () => {
    const links = new MemoryLinks()
    const records = Array.from({ length: 10 }, (_, i) => record(`note ${i}`))
    const a = await start(links, 'a', records)
    const b = await start(links, 'b', records)
    links.link('a', 'b')
    await vi.waitFor(() => expect(b.driver.inStepMs.has('a')).toBe(true))
    const older = record('older', Date.now() - 600_000)
    b.store.orderRead = async () => {
      b.store.orderRead = () => Promise.resolve()
      await write(b.store, [older])
    }
    b.store.lose([toHex(records[3]!.id32)])
    await vi.waitFor(() => expect([a.store.count, b.store.count]).toEqual([11, 11]))
    // A tree that lacks it differs for ever.
    const again = new Promise((resolve) => b.driver.once('inStep', resolve))
    links.unlink('a', 'b')
    links.link('a', 'b')
    await again
  })

  it('get it back though the disk could not be read at once', async () => {
    const links = new MemoryLinks()
    const records = Array.from({ length: 100 }, (_, i) => record(`note ${i}`))
    await start(links, 'a', records)
    const b = await start(links, 'b', records)
    links.link('a', 'b')
    await vi.waitFor(() => expect(b.driver.inStepMs.has('a')).toBe(true))
    b.store.orderFailure = new Error('a block can not be read')
    b.store.lose(records.slice(20, 30).map(({ id32 }) => toHex(id32)))
    await vi.waitFor(() => expect(b.store.orderFailure).toBeNull())
    expect(b.store.count).toBe(90)
    await vi.waitFor(() => expect(b.store.count).toBe(100), { timeout: 20_000 })
  }, 30_000)
})

describe('a machine that joins', { timeout: 60_000 }, () => {
  const records = Array.from({ length: 20_000 }, (_, i) =>
    // Always the same ones, chosen so that a run ends among them.
    record(`note ${i}`, 1_765_000_000_000 + i * 100),
  )

  it('takes in all there is by frames alone, each record verified', async () => {
    const links = new MemoryLinks()
    await start(links, 'a', records)
    const b = await start(links, 'b')
    const started = performance.now()
    links.link('a', 'b')
    await vi.waitFor(() => expect(b.driver.inStepMs.has('a')).toBe(true), { timeout: 50_000 })
    const perSecond = (records.length / (performance.now() - started)) * 1000
    expect(b.store.count).toBe(records.length)
    console.log(`a cold joiner takes in ${Math.round(perSecond)} verified records a second`)
  })

  it('reads segments where there are some, and both build the same', async () => {
    const sealed = new Map<string, Uint8Array[]>()
    const segments: SegmentStore = {
      async seal(blocks) {
        const all: Uint8Array[] = []
        for await (const block of blocks) all.push(block)
        const key = hash(Buffer.concat(all))
        sealed.set(toHex(key), all)
        return key
      },
      async *read(key) {
        yield* sealed.get(toHex(key)) ?? []
      },
    }
    const links = new MemoryLinks()
    for (const [holder, joiner] of [
      ['a', 'b'],
      ['c', 'd'],
    ] as const) {
      await start(links, holder, records, segments)
      const { store, driver } = await start(links, joiner, [], segments)
      links.link(holder, joiner)
      await vi.waitFor(() => expect(driver.inStepMs.has(holder)).toBe(true), { timeout: 50_000 })
      expect(store.count).toBe(records.length)
      expect(sealed.size).toBe(1)
    }
  })
})

describe('the threads that check signatures', () => {
  it('say of each whether it holds, few or many', async () => {
    const checks = Array.from({ length: 600 }, (_, i): SignatureCheck => {
      const message = Buffer.from(`message ${i}`)
      const good = sign(message, machine.secretKey)
      const wrong = sign(message, person.secretKey)
      const signature = i % 3 === 0 ? new Uint8Array(3) : i % 3 === 1 ? good : wrong
      return { message, signature, publicKey: machine.publicKey }
    })
    const expected = checks.map((_, i) => i % 3 === 1)
    expect(await pool.verify(checks)).toEqual(expected)
    expect(await pool.verify(checks.slice(0, 5))).toEqual(expected.slice(0, 5))
    expect(await pool.verify([])).toEqual([])
  })
})

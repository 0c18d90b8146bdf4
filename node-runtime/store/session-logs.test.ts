import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Corestore from 'corestore'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GuardedMux } from '../swarm/guarded-mux.ts'
import { until } from '../testing/cloud-nodes.ts'
import { openGuardedEnds } from '../testing/link-ends.ts'
import { SessionLogs } from './session-logs.ts'
import type { SeatLog } from './session-logs.ts'

const SESSION = 'a'.repeat(64)

let folder: string
const closers: (() => Promise<unknown> | unknown)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-logs-'))
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await rm(folder, { recursive: true, force: true })
})

async function openLogs(name: string): Promise<SessionLogs> {
  const logs = await SessionLogs.open(join(folder, name))
  closers.push(() => logs.close())
  return logs
}

/** Two ends of an encrypted connection, each with a store for other logs on it, as the database has. */
async function link(): Promise<[GuardedMux, GuardedMux]> {
  const ends = await openGuardedEnds()
  for (const [at, mux] of ends.entries()) {
    const store = new Corestore(join(folder, `db-${at}`))
    await store.ready()
    store.replicate(mux)
    closers.push(() => store.close())
    closers.push(() => void mux.stream.destroy())
  }
  return ends
}

async function readAll(log: SeatLog): Promise<string[]> {
  return Promise.all(Array.from({ length: log.length }, (_, index) => log.read(index)))
}

describe('the logs of sessions', () => {
  it.each(['the writer', 'the reader'])('replicate when %s begins first', async (first) => {
    const [a, b] = await link()
    const own = await (await openLogs('a')).openOwn(SESSION, 0)
    await own.append('one')
    const copy = await (await openLogs('b')).openRemote(own.key)
    const begin = [() => own.replicate(a), () => copy.replicate(b)]
    if (first === 'the reader') begin.reverse()
    begin[0]?.()
    // The other side has rejected the channel when this message has gone there and back.
    await roundTrip(a, b)
    begin[1]?.()
    await until(() => copy.length === 1)
    await own.append('two')
    await until(() => copy.length === 2)
    expect(await readAll(copy)).toEqual(['one', 'two'])
    expect(own.uploaded).toEqual({ blocks: 2, bytes: 6 })
  })

  it('stop over one link and begin again', async () => {
    const [a, b] = await link()
    const own = await (await openLogs('a')).openOwn(SESSION, 0)
    const copy = await (await openLogs('b')).openRemote(own.key)
    own.replicate(a)
    copy.replicate(b)
    await own.append('one')
    await until(() => copy.length === 1)
    own.stopReplicating(a)
    await own.append('two')
    await roundTrip(a, b)
    expect(copy.length).toBe(1)
    own.replicate(a)
    await until(() => copy.length === 2)
    expect(await readAll(copy)).toEqual(['one', 'two'])
  })

  it('continue where they ended when the folder is opened again', async () => {
    const before = await SessionLogs.open(join(folder, 'a'))
    const log = await before.openOwn(SESSION, 0)
    await log.append('one')
    const { key } = log
    await before.close()
    const again = await (await openLogs('a')).openOwn(SESSION, 0)
    expect(again.key).toBe(key)
    expect(await readAll(again)).toEqual(['one'])
    await again.append('two')
    expect(again.length).toBe(2)
  })

  it('are one per session and seat', async () => {
    const logs = await openLogs('a')
    const keys = [
      await logs.openOwn(SESSION, 0),
      await logs.openOwn(SESSION, 1),
      await logs.openOwn('b'.repeat(64), 0),
    ].map(({ key }) => key)
    expect(new Set(keys).size).toBe(3)
  })
})

let protocols = 0
/** Resolves when everything that was sent before, both ways, has arrived. */
async function roundTrip(a: GuardedMux, b: GuardedMux): Promise<void> {
  const protocol = `round-trip/${protocols++}`
  await new Promise<void>((resolve) => {
    b.pair({ protocol }, () => {
      b.createChannel({ protocol })?.open()
    })
    a.createChannel({ protocol, onopen: () => resolve() })?.open()
  })
}

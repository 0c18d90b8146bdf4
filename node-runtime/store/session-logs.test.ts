import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import Corestore from 'corestore'
import Hypercore from 'hypercore'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { GuardedMux } from '../swarm/guarded-mux.ts'
import { until } from '../testing/cloud-nodes.ts'
import { fullDiskError } from '../testing/failing-level.ts'
import { openGuardedEnds } from '../testing/link-ends.ts'
import { silentLog } from '../testing/silent-log.ts'
import { SessionList } from './session-list.ts'
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
  const logs = await SessionLogs.open({ folder: join(folder, name), log: silentLog })
  closers.push(() => logs.close())
  return logs
}

async function openCopy(name: string, key: string): Promise<SeatLog> {
  const copy = await (await openLogs(name)).openRemote(SESSION, key)
  if (copy === null) throw new Error('not a key')
  return copy
}

/** Two ends of an encrypted connection, each with a store for other logs on it, as the database has. */
let links = 0
async function link(): Promise<[GuardedMux, GuardedMux]> {
  const ends = await openGuardedEnds()
  for (const [at, mux] of ends.entries()) {
    const store = new Corestore(join(folder, `db-${links++}-${at}`))
    await store.ready()
    store.replicate(mux)
    closers.push(() => store.close())
    closers.push(() => void mux.stream.destroy())
  }
  return ends
}

/** A seat's log on one machine, and the copy of another that follows it over a link. */
async function followed() {
  const [a, b] = await link()
  const own = await (await openLogs('a')).openOwn(SESSION, 0)
  const copy = await openCopy('b', own.key)
  own.replicate(a)
  copy.replicate(b)
  return { a, b, own, copy }
}

async function readAll(log: SeatLog): Promise<string[]> {
  return Promise.all(Array.from({ length: log.length }, (_, index) => log.read(index)))
}

describe('the logs of sessions', () => {
  it.each(['the writer', 'the reader'])('replicate when %s begins first', async (first) => {
    const [a, b] = await link()
    const own = await (await openLogs('a')).openOwn(SESSION, 0)
    await own.append('one')
    const copy = await openCopy('b', own.key)
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
    const { a, b, own, copy } = await followed()
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

  it('are as long over a link as they may be, and their blocks as large', async () => {
    const [, b] = await link()
    const allowed = vi.spyOn(b, 'allowCore')
    const copy = await openCopy('b', (await (await openLogs('a')).openOwn(SESSION, 0)).key)
    copy.replicate(b)
    const limits = { maxBlocks: 65_536, maxBlockBytes: 1_048_576 }
    expect(allowed.mock.calls).toEqual([[expect.any(Uint8Array), limits]])
  })

  it('continue where they ended when the folder is opened again', async () => {
    const before = await SessionLogs.open({ folder: join(folder, 'a'), log: silentLog })
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

describe('what is appended', () => {
  it('comes to who waits for it, as soon as it is there', async () => {
    const { own, copy } = await followed()
    await own.append('first')
    await copy.read(0)
    for (let index = 1; index < 50; index++) {
      const arrived = copy.read(index)
      await own.append(`move ${index}`)
      expect(await arrived).toBe(`move ${index}`)
    }
    expect(own.uploaded.blocks).toBe(50)
  })

  it('is kept on the disk before the log has it', async () => {
    const order: string[] = []
    const keep = vi.spyOn(ClassicLevel.prototype, 'batch')
    keep.mockImplementation((async (_changes: unknown, options?: { sync?: boolean }) => {
      if (options?.sync === true) order.push('kept')
    }) as never)
    const own = await (await openLogs('a')).openOwn(SESSION, 0)
    own.on('grown', () => order.push('grown'))
    await own.append('one', 'two')
    keep.mockRestore()
    expect(order).toEqual(['kept', 'grown'])
  })

  it('is in the log once, though the log is opened again while it is on its way', async () => {
    const logs = await openLogs('a')
    const own = await logs.openOwn(SESSION, 0)
    let again: Promise<SeatLog> | undefined
    own.once('kept', () => (again = logs.openOwn(SESSION, 0)))
    const { append } = Hypercore.prototype
    const slow = vi.spyOn(Hypercore.prototype, 'append')
    slow.mockImplementationOnce(async function (this: Hypercore, ...blocks) {
      await again
      return append.apply(this, blocks)
    })
    await own.append('one')
    slow.mockRestore()
    expect(await readAll((await again) as SeatLog)).toEqual(['one'])
  })

  it('is signed to the very same again when the power took it from the log', async () => {
    const before = await SessionLogs.open({ folder: join(folder, 'a'), log: silentLog })
    const log = await before.openOwn(SESSION, 0)
    await log.append('one')
    await before.close()
    await cp(join(folder, 'a/db'), join(folder, 'db-before'), { recursive: true })
    const keep = vi.spyOn(SessionList.prototype, 'dropBlocks').mockResolvedValue()
    const [a, b] = await link()
    const again = await SessionLogs.open({ folder: join(folder, 'a'), log: silentLog })
    const played = await again.openOwn(SESSION, 0)
    const copy = await openCopy('b', played.key)
    played.replicate(a)
    copy.replicate(b)
    await played.append('two', 'three')
    expect(await copy.read(2)).toBe('three')
    await again.close()
    keep.mockRestore()
    await rm(join(folder, 'a/db'), { recursive: true })
    await cp(join(folder, 'db-before'), join(folder, 'a/db'), { recursive: true })
    const conflicted = vi.fn()
    copy.on('conflicted', conflicted)
    const [c, d] = await link()
    const restored = await (await openLogs('a')).openOwn(SESSION, 0)
    expect(await readAll(restored)).toEqual(['one', 'two', 'three'])
    restored.replicate(c)
    copy.replicate(d)
    await restored.append('four')
    expect(await copy.read(3)).toBe('four')
    expect(conflicted).not.toHaveBeenCalled()
  })
})

describe('an own log that was begun', () => {
  async function begin(): Promise<string> {
    const logs = await SessionLogs.open({ folder: join(folder, 'a'), log: silentLog })
    const own = await logs.openOwn(SESSION, 0)
    await own.append('one')
    await logs.close()
    return own.key
  }

  it('goes on, after a start, too', async () => {
    const key = await begin()
    const again = await (await openLogs('a')).resumeOwn(SESSION, 0, key)
    expect(again?.length).toBe(1)
    await again?.append('two')
    expect(again?.length).toBe(2)
  })

  it('never goes on once what was kept for it is lost', async () => {
    const key = await begin()
    await writeFile(join(folder, 'a/list/CURRENT'), 'no such thing')
    for (const _start of [1, 2]) {
      const logs = await SessionLogs.open({ folder: join(folder, 'a'), log: silentLog })
      expect(await logs.resumeOwn(SESSION, 0, key)).toBeNull()
      const read = await logs.openRemote(SESSION, key)
      expect(await read?.read(0)).toBe('one')
      expect(await logs.resumeOwn(SESSION, 0, key)).toBeNull()
      await logs.close()
    }
  })

  it('does not go on as another', async () => {
    await begin()
    const logs = await openLogs('a')
    expect(await logs.resumeOwn(SESSION, 0, 'y'.repeat(52))).toBeNull()
  })
})

describe('a log whose owner signed two of one length', () => {
  it('is over for who sees both', async () => {
    const before = await SessionLogs.open({ folder: join(folder, 'a'), log: silentLog })
    await (await before.openOwn(SESSION, 0)).append('one')
    await before.close()
    await cp(join(folder, 'a'), join(folder, 'twin'), { recursive: true })
    // So that it does not know that it is a copy.
    await rm(join(folder, 'twin/CORESTORE'))
    const one = await (await openLogs('a')).openOwn(SESSION, 0)
    const other = await (await openLogs('twin')).openOwn(SESSION, 0)
    await one.append('two')
    await other.append('another', 'third', 'fourth')
    const copy = await openCopy('b', one.key)
    expect(copy.isOver).toBe(false)
    const follow = async (log: SeatLog): Promise<void> => {
      const [a, b] = await link()
      log.replicate(a)
      copy.replicate(b)
    }
    await follow(one)
    expect(await copy.read(1)).toBe('two')
    await follow(other)
    await until(() => copy.isOver)
    await expect(copy.read(2)).rejects.toThrow()
  })
})

describe('a full disk', () => {
  it('is told by who appends, and is written again once there is room', async () => {
    const own = await (await openLogs('a')).openOwn(SESSION, 0)
    await own.append('one')
    const full = vi.spyOn(ClassicLevel.prototype, 'batch').mockRejectedValue(fullDiskError())
    await expect(own.append('two')).rejects.toMatchObject({ code: 'DISK_FULL' })
    full.mockRestore()
    const stuck = vi.spyOn(ClassicLevel.prototype, 'close')
    await own.append('three')
    // The engine takes nothing after a failed write, until it is opened again.
    expect(stuck).toHaveBeenCalled()
    stuck.mockRestore()
    expect(await readAll(own)).toEqual(['one', 'three'])
  })
})

describe('an engine that failed to write', () => {
  it('is opened again, and who reads and is read from goes on', async () => {
    const { own, copy } = await followed()
    await own.append('one')
    expect(await copy.read(0)).toBe('one')
    const next = copy.read(1)
    const full = vi.spyOn(Hypercore.prototype, 'append').mockRejectedValue(fullDiskError())
    await expect(own.append('two')).rejects.toMatchObject({ code: 'DISK_FULL' })
    full.mockRestore()
    const stuck = vi.spyOn(Corestore.prototype, 'close')
    await own.append('two')
    expect(stuck).toHaveBeenCalled()
    stuck.mockRestore()
    expect(await next).toBe('two')
    expect(await own.read(1)).toBe('two')
  })
})

describe('the store of session logs', () => {
  it('opens nothing for what is no key, whatever it is', async () => {
    const logs = await openLogs('a')
    const { key } = await logs.openOwn(SESSION, 0)
    for (const text of ['', 'x', `${key} `, key.toUpperCase(), `${key.slice(0, -1)}9`]) {
      expect(await logs.openRemote(SESSION, text)).toBeNull()
    }
  })

  it('forgets the logs of a session, and no others', async () => {
    const logs = await openLogs('a')
    const own = await logs.openOwn(SESSION, 0)
    await own.append('one')
    const other = await logs.openOwn('b'.repeat(64), 0)
    await other.append('other')
    const copy = await logs.openRemote(SESSION, 'y'.repeat(52))
    await copy?.remove()
    await logs.remove(SESSION)
    await expect(own.read(0)).rejects.toThrow()
    expect(await other.read(0)).toBe('other')
    const anew = await logs.openOwn(SESSION, 0)
    expect(anew.length).toBe(0)
  })

  it('begins anew in a folder that was copied, and says so', async () => {
    const logs = await openLogs('a')
    await (await logs.openOwn(SESSION, 0)).append('one')
    await logs.close()
    await cp(join(folder, 'a'), join(folder, 'b'), { recursive: true })
    const copied = await openLogs('b')
    expect(copied.words).toContain('copied')
    expect((await copied.openOwn(SESSION, 0)).length).toBe(0)
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

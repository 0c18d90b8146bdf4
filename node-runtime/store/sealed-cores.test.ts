import { cp, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Corestore from 'corestore'
import Hypercore from 'hypercore'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { encodeKey } from '../core/keys.ts'
import type { GuardedMux } from '../swarm/guarded-mux.ts'
import { fullDiskError } from '../testing/failing-level.ts'
import { openGuardedEnds } from '../testing/link-ends.ts'
import { silentLog } from '../testing/silent-log.ts'
import { SealedCores } from './sealed-cores.ts'

const MANY_BYTES = 100_000_000

let folder: string
const closers: (() => Promise<unknown> | unknown)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-sealed-'))
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await rm(folder, { recursive: true, force: true })
})

async function openCores(name: string): Promise<SealedCores> {
  const { cores, words } = await SealedCores.open({ folder: join(folder, name), log: silentLog })
  expect(words).toBeNull()
  closers.push(() => cores.close().catch(() => {}))
  return cores
}

async function link(): Promise<[GuardedMux, GuardedMux]> {
  const ends = await openGuardedEnds()
  for (const mux of ends) closers.push(() => void mux.stream.destroy())
  return ends
}

/** Blocks that are the same in every run. */
const blocksOf = (count: number, sizeBytes = 1_000): Buffer[] =>
  Array.from({ length: count }, (_, at) => Buffer.alloc(sizeBytes, `block ${at} `))

describe('sealing', () => {
  it('gives the same key for the same blocks on every machine, and another for others', async () => {
    const [a, b] = [await openCores('a'), await openCores('b')]
    const sealed = await a.seal(blocksOf(300))
    expect((await b.seal(blocksOf(300))).key).toBe(sealed.key)
    expect((await b.seal(blocksOf(299))).key).not.toBe(sealed.key)
    expect((await b.seal(blocksOf(300).reverse())).key).not.toBe(sealed.key)
    expect([sealed.length, sealed.sizeBytes, sealed.complete]).toEqual([300, 300_000, true])
    expect(await sealed.read(299)).toEqual(blocksOf(300)[299])
    // Frozen: a newer engine that made another key of this would split the cloud.
    expect(sealed.key).toBe('rjcwsq6fp6pdfirce3rjmrdh4nr33wigfneuntn3jmqbdj3yhjky')
  })

  it('is on the disk when it is done', async () => {
    const handle = await open(join(folder, 'some'), 'w')
    const datasync = vi.spyOn(Object.getPrototypeOf(handle), 'datasync')
    await handle.close()
    const a = await openCores('a')
    datasync.mockClear()
    await a.seal(blocksOf(3))
    expect(datasync).toHaveBeenCalled()
    datasync.mockRestore()
  })

  it('of what is here already changes nothing, and outlives a restart', async () => {
    const before = await openCores('a')
    const { key } = await before.seal(blocksOf(5))
    await before.seal(blocksOf(5))
    await before.close()
    const a = await openCores('a')
    expect(a.list()).toEqual([{ key, blocks: 5, sizeBytes: 5_000, complete: true }])
    expect(a.totalBytes).toBe(5_000)
    const again = await a.open(key)
    expect(await again?.readLocal(4)).toEqual(blocksOf(5)[4])
  })

  it('leaves nothing behind that it threw away', async () => {
    const a = await openCores('a')
    for (let round = 1; round < 4; round++) await a.seal(blocksOf(round))
    await a.close()
    const corestore = new Corestore(join(folder, 'a/cores'))
    await corestore.ready()
    let count = 0
    for await (const _ of corestore.list()) count++
    await corestore.close()
    expect(count).toBe(3)
  })
})

describe('fetching', () => {
  it('takes from several machines at once, and serves on what it has', async () => {
    const [a, b, c, d] = [
      await openCores('a'),
      await openCores('b'),
      await openCores('c'),
      await openCores('d'),
    ]
    const { key } = await a.seal(blocksOf(600, 4_000))
    await b.seal(blocksOf(600, 4_000))
    const fetching = await c.open(key)
    for (const server of [a, b]) {
      const [mine, theirs] = await link()
      server.serve(mine)
      fetching?.replicate(theirs)
    }
    await fetching?.download({ maxBytes: MANY_BYTES })
    expect(fetching?.complete).toBe(true)
    expect(c.get(key)).toEqual({ key, blocks: 600, sizeBytes: 2_400_000, complete: true })
    const [mine, theirs] = await link()
    c.serve(mine)
    const onwards = await d.open(key)
    onwards?.replicate(theirs)
    expect(await onwards?.read(599)).toEqual(blocksOf(600, 4_000)[599])
    await onwards?.download({ maxBytes: MANY_BYTES })
  })

  it('goes on while a machine that was asked goes away', async () => {
    const [a, b, c] = [await openCores('a'), await openCores('b'), await openCores('c')]
    const { key } = await a.seal(blocksOf(2_000))
    await b.seal(blocksOf(2_000))
    const fetching = await c.open(key)
    const links: GuardedMux[] = []
    for (const server of [a, b]) {
      const [mine, theirs] = await link()
      links.push(mine)
      server.serve(mine)
      fetching?.replicate(theirs)
    }
    const done = fetching?.download({ maxBytes: MANY_BYTES })
    await fetching?.read(0)
    links[0]?.stream.destroy()
    await done
    expect(fetching?.complete).toBe(true)
  })

  it('gives what was sealed after the link began', async () => {
    const [a, b] = [await openCores('a'), await openCores('b')]
    const [mine, theirs] = await link()
    a.serve(mine)
    const { key } = await a.seal(blocksOf(3))
    const copy = await b.open(key)
    copy?.replicate(theirs)
    await copy?.download({ maxBytes: MANY_BYTES })
    expect(await copy?.readLocal(2)).toEqual(blocksOf(3)[2])
  })

  it('refuses what is larger than expected, and what is not sealed', async () => {
    const [a, b] = [await openCores('a'), await openCores('b')]
    const { key } = await a.seal(blocksOf(3))
    const [mine, theirs] = await link()
    a.serve(mine)
    const large = await b.open(key)
    large?.replicate(theirs)
    await expect(large?.download({ maxBytes: 2_999 })).rejects.toMatchObject({
      code: 'CORE_REFUSED',
    })

    const store = new Corestore(join(folder, 'ordinary'))
    closers.push(() => store.close())
    const ordinary = store.get({ name: 'log' })
    await ordinary.append(Buffer.from('one'))
    const [from, to] = await link()
    from.allowCore(ordinary.discoveryKey, { maxBlocks: 10, maxBlockBytes: 100 })
    ordinary.replicate(from)
    const log = await b.open(encodeKey(ordinary.key))
    log?.replicate(to)
    await expect(log?.download({ maxBytes: MANY_BYTES })).rejects.toMatchObject({
      code: 'CORE_REFUSED',
    })
    expect(b.list()).toEqual([])
  })

  it('is given up with its signal, or when the core is closed; no key opens nothing', async () => {
    const a = await openCores('a')
    const unknown = encodeKey(new Uint8Array(32).fill(7))
    const abort = new AbortController()
    const core = await a.open(unknown)
    const waiting = core?.download({ maxBytes: MANY_BYTES, signal: abort.signal })
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    const closing = core?.download({ maxBytes: MANY_BYTES })
    await core?.close()
    await expect(closing).rejects.toMatchObject({ code: 'CANCELLED' })
    for (const text of ['', 'x', `${unknown}a`, unknown.slice(0, -1), `${unknown.slice(0, -1)}9`]) {
      expect(await a.open(text)).toBeNull()
    }
  })
})

describe('the store of sealed cores', () => {
  it('forgets what is removed, serves it no longer, and takes it again', async () => {
    const [a, b] = [await openCores('a'), await openCores('b')]
    const sealed = await a.seal(blocksOf(50, 50_000))
    const [mine, theirs] = await link()
    a.serve(mine)
    await a.remove(sealed.key)
    expect(a.list()).toEqual([])
    await expect(sealed.read(0)).rejects.toThrow()
    const copy = await b.open(sealed.key)
    copy?.replicate(theirs)
    const other = await b.open((await a.seal(blocksOf(1))).key)
    other?.replicate(theirs)
    await other?.download({ maxBytes: MANY_BYTES })
    expect(copy?.length).toBe(0)
    await b.seal(blocksOf(50, 50_000))
    const again = await a.open(sealed.key)
    expect(again?.length).toBe(0)
    again?.replicate(mine)
    await again?.download({ maxBytes: MANY_BYTES })
    expect(await again?.readLocal(49)).toEqual(blocksOf(50, 50_000)[49])
    await a.close()
    expect((await openCores('a')).get(sealed.key)?.complete).toBe(true)
  })

  it('drops what was not finished when the process ended, and enters what its list misses', async () => {
    const before = await openCores('a')
    const { key } = await before.seal(blocksOf(5))
    await before.close()
    const corestore = new Corestore(join(folder, 'a/cores'))
    const leftover = corestore.get({ name: 'sealing-half' })
    await leftover.append(Buffer.from('half'))
    await corestore.close()
    await rm(join(folder, 'a/list'), { recursive: true })
    const a = await openCores('a')
    expect(a.list()).toEqual([{ key, blocks: 5, sizeBytes: 5_000, complete: true }])
    await a.close()
    const store = new Corestore(join(folder, 'a/cores'))
    closers.push(() => store.close())
    await store.ready()
    let count = 0
    for await (const _ of store.list()) count++
    expect(count).toBe(1)
  })

  it('tells a full disk, and seals and serves again once there is room', async () => {
    const [a, b] = [await openCores('a'), await openCores('b')]
    const { key } = await a.seal(blocksOf(2))
    const [mine, theirs] = await link()
    a.serve(mine)
    const full = vi.spyOn(Hypercore.prototype, 'append').mockRejectedValue(fullDiskError())
    await expect(a.seal(blocksOf(3))).rejects.toMatchObject({ code: 'DISK_FULL' })
    full.mockRestore()
    const stuck = vi.spyOn(Corestore.prototype, 'close')
    const sealed = await a.seal(blocksOf(3))
    expect(stuck).toHaveBeenCalled()
    stuck.mockRestore()
    // Who is not served says so, before the test's own time is up.
    const signal = AbortSignal.timeout(10_000)
    for (const each of [key, sealed.key]) {
      const copy = await b.open(each)
      copy?.replicate(theirs)
      await copy?.download({ maxBytes: MANY_BYTES, signal })
    }
    expect(a.list()).toHaveLength(2)
  })

  it('opens in a folder that was copied', async () => {
    const a = await openCores('a')
    const { key } = await a.seal(blocksOf(5))
    await a.close()
    await cp(join(folder, 'a'), join(folder, 'b'), { recursive: true })
    const b = await openCores('b')
    expect(b.get(key)?.complete).toBe(true)
    expect(await (await b.open(key))?.readLocal(0)).toEqual(blocksOf(1)[0])
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SealedCores } from '../store/sealed-cores.ts'
import { openGuardedEnds } from '../testing/link-ends.ts'
import { silentLog } from '../testing/silent-log.ts'
import { SealedSegments } from './sealed-segments.ts'

let folder: string
const closers: (() => Promise<unknown> | unknown)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-segments-'))
})

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await rm(folder, { recursive: true, force: true })
})

async function open(name: string): Promise<SealedSegments> {
  const { cores } = await SealedCores.open({ folder: join(folder, name), log: silentLog })
  closers.push(() => cores.close())
  return new SealedSegments(cores)
}

async function* blocks(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield await Promise.resolve(Buffer.alloc(60_000, `block ${i} `))
}

async function link(a: SealedSegments, b: SealedSegments): Promise<void> {
  const ends = await openGuardedEnds()
  for (const mux of ends) closers.push(() => void mux.stream.destroy())
  a.attach(ends[0])
  b.attach(ends[1])
}

describe('segments', () => {
  it('are the same to all who seal the same, and a joiner reads them from any of them', async () => {
    const [a, b, joiner] = [await open('a'), await open('b'), await open('c')]
    const key = await a.seal(blocks(40))
    expect(await b.seal(blocks(40))).toEqual(key)
    await link(a, joiner)
    await link(b, joiner)
    const read: Uint8Array[] = []
    for await (const block of joiner.read(key)) read.push(block)
    expect(read).toHaveLength(40)
    expect(Buffer.from(read[39]!).toString()).toContain('block 39 block 39')
  })
})

import { execFileSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { deflateSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { serveRepository } from '../../../e2e/support/git-server.ts'
import { makeFolder } from '../../testing/notes-repository.ts'
import { checkPack } from './pack-limits.ts'

const limits = { totalBytes: 1_000_000, objectBytes: 500_000, objects: 100 }

/** A pack that git itself made, with deltas in it. */
let pack: Buffer
let unpackedBytes: number
let objects: number

beforeAll(async () => {
  const text = Array.from({ length: 3000 }, (_, line) => `line ${line * 7919}`).join('\n')
  const folder = await makeFolder({ 'a.txt': text })
  const server = await serveRepository({ deltas: folder })
  await server.commit('deltas', { 'a.txt': `${text}\nmore` })
  const git = (args: string[], input?: string): Buffer =>
    execFileSync('git', args, { env: { ...process.env, GIT_DIR: server.folderOf() }, input })
  const ids = git(['rev-list', '--objects', '--all'])
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.slice(0, 40))
  pack = git(['pack-objects', '--stdout', '--delta-base-offset', '-q'], ids.join('\n'))
  objects = ids.length
  unpackedBytes = git(['cat-file', '--batch-check=%(objectsize)'], ids.join('\n'))
    .toString()
    .trim()
    .split('\n')
    .reduce((sum, size) => sum + Number(size), 0)
  await server.close()
  await rm(folder, { recursive: true })
})

const fails = (code: string) => expect.objectContaining({ code })

/** A pack of one object, with the size it declares. */
function packOf(type: number, declaredBytes: number, content: Uint8Array): Buffer {
  const header = Buffer.alloc(12)
  header.write('PACK')
  header.writeUInt32BE(2, 4)
  header.writeUInt32BE(1, 8)
  const size: number[] = []
  let rest = Math.floor(declaredBytes / 16)
  size.push((type << 4) | (declaredBytes % 16) | (rest > 0 ? 0x80 : 0))
  for (; rest > 0; rest = Math.floor(rest / 128)) size.push((rest % 128) | (rest > 127 ? 0x80 : 0))
  const base = type === 7 ? Buffer.alloc(20) : Buffer.alloc(0)
  return Buffer.concat([header, Buffer.from(size), base, deflateSync(content), Buffer.alloc(20)])
}

test("git's own pack is accepted, up to its very size", () => {
  expect(() => checkPack(pack, limits)).not.toThrow()
  // The delta's own bytes are counted beside what it makes.
  expect(pack.length).toBeLessThan(unpackedBytes)
  expect(() => checkPack(pack, { ...limits, totalBytes: unpackedBytes - 1 })).toThrow(
    fails('SYSTEM_TOO_LARGE'),
  )
  expect(() => checkPack(pack, { ...limits, objects: objects - 1 })).toThrow(
    fails('SYSTEM_TOO_LARGE'),
  )
})

test('a pack that declares too much is refused before it is unpacked', () => {
  const bomb = packOf(3, 10 ** 12, deflateSync(Buffer.alloc(10)))
  expect(() => checkPack(bomb, limits)).toThrow(fails('SYSTEM_TOO_LARGE'))
})

test('a pack that unpacks to more than it declares is refused', () => {
  const liar = packOf(3, 10, Buffer.alloc(400_000))
  expect(() => checkPack(liar, limits)).toThrow(fails('REPO_UNREACHABLE'))
})

test('a delta that makes too much is refused', () => {
  // Applies to 1 byte, makes 2^27 - 1.
  const delta = Buffer.from([1, 0xff, 0xff, 0xff, 0x3f])
  expect(() => checkPack(packOf(7, delta.length, delta), limits)).toThrow(fails('SYSTEM_TOO_LARGE'))
})

test('any cut of a pack is refused', () => {
  for (let bytes = 0; bytes < pack.length - 20; bytes += 97) {
    expect(() => checkPack(pack.subarray(0, bytes), limits)).toThrow(fails('REPO_UNREACHABLE'))
  }
})

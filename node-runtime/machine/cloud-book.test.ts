import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { genesisBody, cloudIdOf, openGenesis } from '../core/forms/genesis.ts'
import { encodeKey, hash } from '../core/keys.ts'
import { CloudBook } from './cloud-book.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-clouds-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a new cloud is named by its genesis, and keeps the key that may speak for it', async () => {
  const book = await CloudBook.open(folder)
  const genesis = openGenesis(book.genesisOf(book.current) ?? '', book.current)
  expect(genesis?.admission.kind).toBe('open')
  expect(genesis?.keys).toHaveLength(1)
  expect(await readFile(join(folder, 'cloud.json'), 'utf8')).toContain('secretKey')
  const other = await CloudBook.open(await mkdtemp(join(folder, 'other-')))
  expect(other.current).not.toBe(book.current)
})

test('the genesis of a joined cloud is learned from others, a false one is not', async () => {
  const key = encodeKey(hash(Buffer.from('key')))
  const body = genesisBody({ name: 'Ours', admission: { kind: 'link' }, keys: [key], nonce: '1' })
  const cloud = cloudIdOf(body)
  const book = await CloudBook.open(folder, { cloud })
  await book.learnGenesis(cloud, body.replace('Ours', 'Mine'))
  expect(book.genesisOf(cloud)).toBeUndefined()
  await book.learnGenesis(cloud, body)
  expect((await CloudBook.open(folder)).genesisOf(cloud)).toBe(body)
})

test('every cloud that the machine was in stays known, also over a restart', async () => {
  const book = await CloudBook.open(folder)
  const own = book.current
  const other = encodeKey(hash(Buffer.from('another')))
  await book.choose(other)
  const expected = [
    { cloud: own, originated: true, current: false },
    { cloud: other, originated: false, current: true },
  ]
  expect(book.known).toEqual(expected)
  expect((await CloudBook.open(folder)).known).toEqual(expected)
  await book.choose(own)
  expect(book.known.map(({ current }) => current)).toEqual([true, false])
  expect(book.originated).toBe(true)
})

test('the key of a new cloud is kept, whatever is learned of another meanwhile', async () => {
  const key = encodeKey(hash(Buffer.from('key')))
  const body = genesisBody({ name: 'Ours', admission: { kind: 'link' }, keys: [key], nonce: '1' })
  const joined = cloudIdOf(body)
  const book = await CloudBook.open(folder, { cloud: joined })
  const [first, second] = await Promise.all([
    book.create({ name: 'First', admission: 'invitation' }),
    book.create({ name: 'Second', admission: 'invitation' }),
    book.learnGenesis(joined, body),
    book.choose(joined),
  ])
  await book.choose(first)
  for (const known of [book, await CloudBook.open(folder)]) {
    expect(known.ownerKeyOf(first)).not.toBeNull()
    expect(known.ownerKeyOf(second)).not.toBeNull()
    expect(known.genesisOf(joined)).toBe(body)
  }
})

test('what is told of a cloud never holds its secret key', async () => {
  const book = await CloudBook.open(folder)
  expect(Object.keys(book.known[0] ?? {})).toEqual(['cloud', 'originated', 'current'])
})

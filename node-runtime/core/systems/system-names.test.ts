import { expect, test } from 'vitest'
import { chooseHost, findByName } from './system-names.ts'
import type { NamedSystem } from './system-names.ts'

const ID = 'org.example.notes'
const [keyA, keyB] = ['a'.repeat(52), 'b'.repeat(52)] as [string, string]
const a: NamedSystem = { key: keyA, host: ID, id: ID, formerKeys: [] }
const b: NamedSystem = { ...a, key: keyB, host: `${ID}--${keyB.slice(0, 12)}` }

test('the first system with an id has it as its host, the next one with a piece of its key', () => {
  expect(chooseHost(ID, keyA, [])).toBe(ID)
  expect(chooseHost(ID, keyB, [a])).toBe(b.host)
  expect(chooseHost('org.example.other', keyB, [a])).toBe('org.example.other')
})

test('a host is never given twice, and no host is the id of another system', () => {
  expect(chooseHost(ID, keyB, [b])).toBe(`${ID}--${keyB}`)
  expect(chooseHost(ID, keyA, [{ ...b, host: 'org.example.moved' }])).not.toBe(ID)
})

test('a key and a host mean one system, an id all that have it', () => {
  expect(findByName([a, b], keyA)).toEqual([a])
  expect(findByName([a, b], b.host)).toEqual([b])
  expect(findByName([a, b], ID)).toEqual([a, b])
  expect(findByName([b], ID)).toEqual([b])
  expect(findByName([a], 'org.example.other')).toEqual([])
})

test('a former key means the system that goes on from it, unless another has it', () => {
  const moved = { ...b, formerKeys: [keyA] }
  expect(findByName([moved], keyA)).toEqual([moved])
  expect(findByName([moved, a], keyA)).toEqual([a])
})

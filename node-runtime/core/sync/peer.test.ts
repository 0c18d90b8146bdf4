import { expect, it } from 'vitest'
import { itemAt } from './fixtures/shared.ts'
import { Peer } from './peer.ts'

it('of what a machine has, the last 1,024 are remembered', () => {
  const peer = new Peer('b', 0)
  const items = Array.from({ length: 1025 }, (_, i) => itemAt(i))
  for (const item of items.slice(0, 1024)) peer.noteKnown(item)
  expect(items.map((item) => peer.knows(item))).toEqual(items.map((_, i) => i < 1024))
  peer.noteKnown(items[1024]!)
  expect(items.map((item) => peer.knows(item))).toEqual(items.map((_, i) => i > 0))
  peer.noteMissing(items[7]!)
  expect(peer.knows(items[7]!)).toBe(false)
})

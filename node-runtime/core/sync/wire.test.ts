import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './wire.ts'

const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)

describe('a number', () => {
  it.each([
    [0, [0x00]],
    [1, [0x01]],
    [0x7f, [0x7f]],
    [0x80, [0x80, 0x01]],
    [300, [0xac, 0x02]],
    [0x3fff, [0xff, 0x7f]],
    [0x4000, [0x80, 0x80, 0x01]],
    [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
    [2 ** 49, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    [Number.MAX_SAFE_INTEGER, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('%d has one form', (value, bytes) => {
    expect([...new ByteWriter().varint(value).finish()]).toEqual(bytes)
    const reader = new ByteReader(bytesOf(...bytes))
    expect(reader.varint()).toBe(value)
    expect(reader.complete).toBe(true)
  })

  it.each([
    ['that is not there', []],
    ['that is cut short', [0x80]],
    ['in a longer form', [0x80, 0x00]],
    ['in a longer form, with more before', [0xff, 0x80, 0x00]],
    ['of 2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['beyond', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['that goes on for ever', Array.from({ length: 40 }, () => 0x80)],
    ['with a ninth byte', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
  ])('%s is refused', (_, bytes) => {
    const reader = new ByteReader(bytesOf(...bytes))
    expect(reader.varint()).toBe(0)
    expect(reader.failed).toBe(true)
  })
})

describe('a reader', () => {
  it('reads in order, and knows what is left', () => {
    const reader = new ByteReader(bytesOf(7, 1, 2, 2, 8, 9))
    expect([reader.left, reader.complete, reader.failed]).toEqual([6, false, false])
    expect(reader.byte()).toBe(7)
    expect([...reader.raw(2)]).toEqual([1, 2])
    expect([...reader.block(2)]).toEqual([8, 9])
    expect([reader.left, reader.complete, reader.failed]).toEqual([0, true, false])
    expect([...reader.raw(0)]).toEqual([])
    expect(reader.complete).toBe(true)
  })

  it.each<[string, (reader: ByteReader) => unknown, unknown]>([
    ['a byte', (reader) => (reader.raw(4), reader.byte()), 0],
    ['bytes', (reader) => [...reader.raw(5)], []],
    ['a block', (reader) => [...reader.block(10)], []],
    ['a block that is longer than it may be', (reader) => [...reader.block(2)], []],
  ])('fails for good at %s that is not there', (_, read, nothing) => {
    const reader = new ByteReader(bytesOf(4, 1, 2, 3))
    expect(read(reader)).toEqual(nothing)
    expect([reader.failed, reader.complete, reader.left]).toEqual([true, false, 0])
    expect([reader.byte(), reader.varint(), [...reader.raw(1)]]).toEqual([0, 0, []])
    expect(reader.failed).toBe(true)
  })

  it('takes a block that is as long as it may be', () => {
    expect([...new ByteReader(bytesOf(2, 1, 2)).block(2)]).toEqual([1, 2])
  })

  it('is told that something is wrong', () => {
    const reader = new ByteReader(bytesOf(1, 2))
    reader.fail()
    expect([reader.failed, reader.left, reader.byte()]).toEqual([true, 0, 0])
  })
})

describe('a writer', () => {
  it.each([0, 1, 2, 3, 300])('grows as needed, from %d bytes', (sizeBytes) => {
    const writer = new ByteWriter(sizeBytes)
    const all: number[] = []
    for (let i = 0; i < 200; i++) {
      writer.byte(i).raw(bytesOf(1, 2, 3))
      all.push(i, 1, 2, 3)
    }
    writer.block(new Uint8Array(1000).fill(5))
    all.push(0xe8, 0x07, ...Array.from({ length: 1000 }, () => 5))
    expect([...writer.finish()]).toEqual(all)
  })
})

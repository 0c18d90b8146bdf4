import { describe, expect, it } from 'vitest'
import { AddressBook, MAX_REMEMBERED } from './address-book.ts'

const DAY_MS = 24 * 3_600_000
const at = (host: string) => ({ host, port: 4_000 })
const names = (book: AddressBook, count: number, wallMs: number): string[] =>
  book.take(count, wallMs, () => false).map(({ machine }) => machine)

describe('the book of addresses', () => {
  it('names first who was there lately and often', () => {
    const book = new AddressBook()
    for (const machine of ['rare', 'faithful']) book.linked(machine, [at('10.0.0.1')], 0)
    for (let turn = 1; turn <= 5; turn++) {
      book.take(2, turn, () => false)
      book.linked('faithful', [at('10.0.0.1')], turn)
    }
    expect(names(book, 2, 10)).toEqual(['faithful', 'rare'])
    // Who has not been seen for long is less likely to be there than somebody new.
    book.linked('new', [at('10.0.0.2')], 9 * DAY_MS)
    expect(names(book, 3, 9 * DAY_MS)).toEqual(['new', 'faithful', 'rare'])
  })

  it('keeps the newest addresses of a machine, each once', () => {
    const book = new AddressBook()
    for (let n = 1; n <= 6; n++) book.linked('a', [at(`10.0.0.${n}`), at('10.0.0.9')], n)
    expect(book.all()[0]?.addresses).toEqual([
      at('10.0.0.6'),
      at('10.0.0.9'),
      at('10.0.0.5'),
      at('10.0.0.4'),
    ])
  })

  it('counts a link as reached only if it was looked for', () => {
    const book = new AddressBook()
    book.linked('a', [], 0)
    book.linked('a', [], 1)
    expect(book.all()[0]).toMatchObject({ tried: 0, reached: 0, linkedMs: 1 })
    book.take(1, 2, () => false)
    book.linked('a', [], 3)
    expect(book.all()[0]).toMatchObject({ tried: 1, reached: 1 })
  })

  it('is bounded: the least likely goes', () => {
    const book = new AddressBook()
    for (let n = 0; n <= MAX_REMEMBERED; n++) book.linked(`m${n}`, [at('10.0.0.1')], n * DAY_MS)
    expect(book.all()).toHaveLength(MAX_REMEMBERED)
    expect(book.all().some(({ machine }) => machine === 'm0')).toBe(false)
  })

  it('is not taken over by keys that were invented, and leaves out who is linked', () => {
    const book = new AddressBook()
    book.linked('faithful', [at('10.0.0.1')], 0)
    book.take(1, 1, () => false)
    book.linked('faithful', [at('10.0.0.1')], 2)
    book.linked('linked', [at('10.0.0.2')], 2)
    for (let n = 0; n < 2 * MAX_REMEMBERED; n++) {
      book.seen('linked', 2 * DAY_MS + n)
      book.linked(`invented${n}`, [at('10.0.0.3')], 2 * DAY_MS + n)
    }
    const kept = book.all().map(({ machine }) => machine)
    expect(kept).toEqual(expect.arrayContaining(['faithful', 'linked']))
    const taken = book.take(MAX_REMEMBERED, 2 * DAY_MS, (machine) => machine === 'linked')
    expect(taken).toHaveLength(MAX_REMEMBERED - 1)
    expect(book.all().find(({ machine }) => machine === 'linked')?.tried).toBe(0)
  })

  it('goes on from what was written down', () => {
    const before = new AddressBook()
    before.linked('a', [at('10.0.0.1')], 5)
    before.take(1, 6, () => false)
    const after = new AddressBook(structuredClone([...before.all()]))
    expect(after.all()).toEqual(before.all())
    expect(names(after, 9, 7)).toEqual(['a'])
  })
})

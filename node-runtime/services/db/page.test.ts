import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CloudError } from '../../contract/errors.ts'
import { formatCursor, parseCursor, takePage } from './page.ts'

const AUTHOR = 'y'.repeat(52)

const item = (id: string, length = 1) => ({ id, author: AUTHOR, value: 'x'.repeat(length) })

function source(...items: ReturnType<typeof item>[]) {
  let reads = 0
  async function* give() {
    for (const record of items) {
      reads++
      yield record
    }
  }
  return { found: give(), reads: () => reads }
}

const take = (found: AsyncIterable<ReturnType<typeof item>>, limit: number, maxBytes: number) =>
  takePage(found, {
    limit,
    maxBytes,
    sizeOf: ({ value }) => value.length,
    positionOf: (record) => record,
  })

const ids = (records: readonly { id: string }[]): string[] => records.map(({ id }) => id)
const after = (id: string): string => formatCursor({ id, author: AUTHOR })

test('a page holds all when all fit', async () => {
  const page = await take(source(item('a'), item('b'), item('b')).found, 10, 1000)
  expect(ids(page.taken)).toEqual(['a', 'b', 'b'])
  expect(page).not.toHaveProperty('cursor')
})

test('a page ends at its number of records, and says where, if more follow', async () => {
  const { found, reads } = source(item('a'), item('b'), item('c'), item('d'))
  const page = await take(found, 2, 1000)
  expect(ids(page.taken)).toEqual(['a', 'b'])
  expect(page.cursor).toBe(after('b'))
  expect(reads()).toBe(3)
  const whole = await take(source(item('a'), item('b')).found, 2, 1000)
  expect(whole).not.toHaveProperty('cursor')
})

test('a page ends before its bytes are passed, also within one id, and holds one record at least', async () => {
  const all = [item('a', 100), item('a', 100), item('b', 100)]
  expect(await take(source(...all).found, 10, 200)).toMatchObject({
    taken: [{ id: 'a' }, { id: 'a' }],
    cursor: after('a'),
  })
  const small = await take(source(...all).found, 10, 1)
  expect(small.taken).toHaveLength(1)
})

test('a cursor goes on where it came from, and nothing else is one', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 200 }), (id) => {
      fc.pre(/^[^\u0000-\u001f\u007f]+$/.test(id))
      expect(parseCursor(formatCursor({ id, author: AUTHOR }))).toEqual({ id, author: AUTHOR })
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseCursor(text)
      } catch (error) {
        expect((error as CloudError).code).toBe('BAD_INPUT')
      }
    }),
  )
  expect(() => parseCursor('junk')).toThrowError(CloudError)
})

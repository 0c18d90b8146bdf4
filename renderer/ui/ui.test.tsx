// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { shortKey } from './fingerprint.tsx'
import { pictureOf } from './key-picture.tsx'
import { describeAge, describeLeft } from './relative-time.tsx'
import { linePath } from './sparkline.tsx'
import { Table, sortRows } from './table.tsx'
import type { Column } from './table.tsx'

afterEach(cleanup)

interface Row {
  name: string
  size: number
}
const columns: Column<Row>[] = [
  { key: 'name', title: 'Name', sortBy: ({ name }) => name, render: ({ name }) => name },
  { key: 'size', title: 'Size', sortBy: ({ size }) => size, render: ({ size }) => size },
]

test('rows sort by number where there are numbers, and equal ones keep their order', () => {
  const rows = [
    { name: 'b', size: 10 },
    { name: 'a', size: 9 },
    { name: 'c', size: 10 },
  ]
  const names = (key: string, descending: boolean): string =>
    sortRows(rows, columns, { key, descending })
      .map(({ name }) => name)
      .join('')
  expect(names('name', false)).toBe('abc')
  expect(names('size', false)).toBe('abc')
  expect(names('size', true)).toBe('bca')
})

test('a table of 100,000 rows draws only those in sight, and says how many there are', () => {
  const rows = Array.from({ length: 100_000 }, (_, size) => ({ name: `row ${size}`, size }))
  render(
    <Table
      label="Many"
      columns={columns}
      rows={rows}
      rowKey={({ name }) => name}
      initialSort={{ key: 'size', descending: false }}
    />,
  )
  const table = screen.getByRole('table', { name: 'Many' })
  expect(table.getAttribute('aria-rowcount')).toBe('100001')
  expect(screen.getAllByRole('row').length).toBeLessThan(300)
  screen.getByText('row 0')
})

test('a long table that is scrolled draws the rows that are then in sight, in their places', async () => {
  const rows = Array.from({ length: 1_000 }, (_, size) => ({ name: `row ${size}`, size }))
  const props = { label: 'Many', columns, initialSort: { key: 'size', descending: false } }
  const view = render(<Table {...props} rows={rows} rowKey={({ name }) => name} />)
  const scroller = screen.getByRole('region', { name: 'Many' })
  Object.defineProperty(scroller, 'clientHeight', { value: 480 })
  const patience = { timeout: 10_000 }
  const drawn = (): string[] =>
    [...scroller.querySelectorAll('td:first-child')].map(({ textContent }) => textContent)
  const scrollTo = (row: number): void => {
    scroller.scrollTop = row * 48
    fireEvent.scroll(scroller)
  }
  scrollTo(500)
  const row = (await screen.findByText('row 505', {}, patience)).closest('tr')
  expect(row?.getAttribute('aria-rowindex')).toBe('507')
  await waitFor(
    () => expect([drawn()[0], drawn().at(-1)]).toEqual(['row 492', 'row 521']),
    patience,
  )
  scrollTo(0)
  await screen.findByText('row 0', {}, patience)
  view.rerender(<Table {...props} rows={rows.slice(300)} rowKey={({ name }) => name} />)
  await waitFor(() => expect(drawn()[0]).toBe('row 300'), patience)
  expect(screen.getByRole('table').getAttribute('aria-rowcount')).toBe('701')
})

test('pictures of keys mirror, stay the same, and differ from key to key', () => {
  const key = 'y'.repeat(51) + 'b'
  const picture = pictureOf(key)
  expect(pictureOf(key)).toEqual(picture)
  expect(pictureOf('y'.repeat(51) + 'n')).not.toEqual(picture)
  const ends = ['a', 'b', 'c', 'd'].map((start) => pictureOf(`${start}${'y'.repeat(51)}`).hue)
  expect(new Set(ends).size).toBe(4)
  for (const [x, y] of picture.cells) expect(picture.cells).toContainEqual([4 - x, y])
  expect(shortKey(key)).toBe('yyyyyy…yyyb')
})

test('ages in words', () => {
  const now = 1_000_000_000_000
  const ago = (seconds: number): string => describeAge(now - seconds * 1000, now)
  expect([0, 30, 90, 7300, 100_000, 300_000].map(ago)).toEqual([
    'just now',
    '30 s ago',
    '1 min ago',
    '2 h ago',
    'yesterday',
    '3 days ago',
  ])
  expect(describeAge(now + 5000, now)).toBe('just now')
})

test('times to come in words', () => {
  const now = 1_000_000_000_000
  const inSeconds = (seconds: number): string => describeLeft(now + seconds * 1000, now)
  expect([-5, 30, 300, 86_400, 604_800].map(inSeconds)).toEqual([
    'in less than a minute',
    'in less than a minute',
    'in 5 min',
    'in 24 h',
    'in 7 days',
  ])
})

test('a line ends at the right and never leaves its box', () => {
  const points = [...linePath([1, 5, 0], 40).matchAll(/([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ])
  expect(points.at(-1)?.[0]).toBe(72)
  expect(points.every(([, y = -1]) => y >= 0 && y <= 20)).toBe(true)
})

// @vitest-environment jsdom
import { afterEach, expect, test, vi } from 'vitest'
import { render } from '/.dharma/lit.js'
import { apply, init, view } from '../rules/connect-four.ts'
import { boardTemplate } from './board.ts'
import type { BoardOptions } from './board.ts'

const NAMES = ['Ann', '<b>Bob</b>']

function viewAfter(...columns: number[]): BoardOptions['view'] {
  let state = init('', null)
  columns.forEach((column, ply) => (state = apply(state, ply % 2, column)))
  return view(state, 'spectator')
}

function draw(options: Partial<BoardOptions> & Pick<BoardOptions, 'view'>): void {
  render(boardTemplate({ names: NAMES, ...options }), document.body)
}

function play(more: { pending?: number; focused?: number } = {}) {
  const choose = vi.fn()
  const focus = vi.fn()
  return { seat: 0, columns: [0, 1, 2], pending: null, focused: 3, choose, focus, ...more }
}

function column(number: number): HTMLButtonElement {
  return document.querySelector(`[aria-label="Column ${number}"]`)!
}

afterEach(() => render('', document.body))

test('the position can be read as a table, with names as plain text', () => {
  draw({ view: viewAfter(3, 3) })
  const cells = [...document.querySelectorAll('td')].map((cell) => cell.textContent)
  expect(cells.filter((text) => text === 'Ann')).toHaveLength(1)
  expect(cells.filter((text) => text === '<b>Bob</b>')).toHaveLength(1)
  expect(cells.filter((text) => text === 'empty')).toHaveLength(40)
  expect(document.querySelector('td b')).toBeNull()
})

test('a spectator has no columns to press', () => {
  draw({ view: viewAfter(3) })
  expect(document.querySelectorAll('button')).toHaveLength(0)
})

test('only legal columns can be chosen, and none while a move is being sent', () => {
  const first = play()
  draw({ view: viewAfter(), play: first })
  column(2).click()
  column(5).click()
  expect(first.choose.mock.calls).toEqual([[1]])
  const sending = play({ pending: 1 })
  draw({ view: viewAfter(), play: sending })
  column(1).click()
  expect(sending.choose).not.toHaveBeenCalled()
  expect(document.querySelectorAll('.disc.pending')).toHaveLength(1)
})

test('the arrow keys go from column to column and around', () => {
  const options = play({ focused: 6 })
  draw({ view: viewAfter(), play: options })
  column(7).dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }))
  expect(document.activeElement).toBe(column(1))
  expect(options.focus).toHaveBeenCalledWith(0)
  expect(document.querySelectorAll('button[tabindex="0"]')).toHaveLength(1)
})

test('the last move and the winning line are marked', () => {
  draw({ view: viewAfter(3, 2, 3, 2, 3) })
  expect(document.querySelectorAll('.hole-last')).toHaveLength(1)
  draw({ view: viewAfter(3, 2, 3, 2, 3, 1, 3) })
  expect(document.querySelectorAll('.hole-wins')).toHaveLength(4)
  expect(document.querySelectorAll('.disc.beaten')).toHaveLength(3)
})

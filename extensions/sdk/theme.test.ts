// @vitest-environment jsdom
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('a button on a page, or in a stack, is as wide as its words, unless the system says otherwise', () => {
  const style = document.createElement('style')
  style.textContent = `${readFileSync(join(import.meta.dirname, 'theme.css'), 'utf8')}
    .wide { align-self: stretch }`
  document.head.append(style)
  document.body.innerHTML = `<main class="d-page">
    <button>One</button><a class="d-button">Two</a>
    <section class="d-stack"><button class="d-button">Three</button></section>
    <button class="wide">Four</button>
  </main>`
  const sides = [...document.querySelectorAll('button, a')].map(
    (button) => getComputedStyle(button).alignSelf,
  )
  expect(sides).toEqual(['flex-start', 'flex-start', 'flex-start', 'stretch'])
})

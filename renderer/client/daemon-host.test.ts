// @vitest-environment jsdom
import { expect, test } from 'vitest'
import { takeToken, takeWantedAddress } from './daemon-host.ts'

function come(search: string): void {
  window.history.replaceState(null, '', `/${search}`)
}

test('the page opens at the system that its address names, once', () => {
  come('?token=secret&open=cloud%3A%2F%2Fevent-games%2F')
  expect(takeWantedAddress(window)).toBe('cloud://event-games/')
  expect(takeToken(window)).toBe('secret')
  expect(window.location.search).toBe('')
  expect(takeWantedAddress(window)).toBeNull()
})

test('it opens at nothing but a system', () => {
  for (const address of ['https://example.org/', 'javascript:alert(1)', 'cloud://home', '', 'x']) {
    come(`?open=${encodeURIComponent(address)}`)
    expect([address, takeWantedAddress(window)]).toEqual([address, null])
    expect(window.location.search).toBe('')
  }
})

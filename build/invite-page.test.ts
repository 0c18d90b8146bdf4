// The page behind https links of invitations, as a browser reads it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { JSDOM } from 'jsdom'
import { expect, test } from 'vitest'
import { readJoinText } from '../node-runtime/contract/join-text.ts'
import { encodeInvitation } from '../node-runtime/core/admission/invitation.ts'

const html = readFileSync(
  fileURLToPath(new URL('../docs/invite/index.html', import.meta.url)),
  'utf8',
)
const PAGE = 'https://host.example/invite/'
const invitation = encodeInvitation({
  seed: new Uint8Array(16).fill(7),
  addresses: [{ host: '192.0.2.1', port: 4_000 }],
})

function open(address: string) {
  const { window } = new JSDOM(html, { url: address, runScripts: 'dangerously' })
  const { document } = window
  const shown = ['invited', 'empty'].filter((id) => document.getElementById(id)?.hidden === false)
  return { window, document, shown }
}

test('a link opens the app with the invitation, and the address forgets it', () => {
  const { window, document, shown } = open(`${PAGE}#dharma-invite=${invitation}`)
  expect(shown).toEqual(['invited'])
  const { href } = document.querySelector<HTMLAnchorElement>('#open')!
  expect(href).toBe(`dharma:invite/${invitation}`)
  expect(readJoinText(href)).toEqual({ kind: 'link', invitation })
  expect(document.querySelector<HTMLInputElement>('#link')?.value).toBe(href)
  expect(window.location.href).toBe(PAGE)
})

test('the same link is one to put in, where scripts are off', () => {
  const text = `${PAGE}#dharma-invite=${invitation}`
  expect(readJoinText(text)).toEqual({ kind: 'link', invitation })
})

test.each(['', '#', '#dharma-invite=', '#dharma-invite="><script>alert(1)</script>', '#else'])(
  'behind %j there is no invitation, and it says so',
  (hash) => {
    const { document, shown } = open(PAGE + hash)
    expect(shown).toEqual(['empty'])
    expect(document.querySelector('#open')?.getAttribute('href')).toBe('#')
  },
)

test('it loads nothing and sends nothing, so that no host learns who is invited', () => {
  const { document } = open(PAGE)
  expect(document.querySelectorAll('[src], link, iframe, form')).toHaveLength(0)
  const policy = document.querySelector('[http-equiv="Content-Security-Policy"]')
  expect(policy?.getAttribute('content')).toMatch(/^default-src 'none'; .*form-action 'none'$/)
  expect(html).not.toMatch(/https?:\/\/(?!your\.host)/)
})

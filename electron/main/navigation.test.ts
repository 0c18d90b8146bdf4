import { describe, expect, test } from 'vitest'
import { decideNavigation, decideWindowOpen, parseTarget, securityOf } from './navigation.ts'
import type { PageOwner } from './navigation.ts'

const SHELL: PageOwner = { kind: 'shell' }
const WEB: PageOwner = { kind: 'web' }
const KEY = 'y'.repeat(52)
const OTHER_KEY = 'b' + 'y'.repeat(51)
const SYSTEM: PageOwner = { kind: 'system', system: KEY }

const CLICK = { mainFrame: true, gesture: true }
const BY_ITSELF = { mainFrame: true, gesture: false }
const IN_FRAME = { mainFrame: false, gesture: true }

/** What no page may go to, clicked or not, in a frame or not. */
const NEVER = [
  'file:///etc/passwd',
  'javascript:alert(1)',
  'chrome://settings/',
  'devtools://devtools/bundled/inspector.html',
  'mailto:a@example.org',
  'ftp://example.org/',
  'cloud://dharma:1/',
  'dharma:invite/',
  'dharma:x',
  'not an address',
  '',
]

describe('where the main frame may go', () => {
  test.each(NEVER)('no page goes to %j', (url) => {
    for (const owner of [SHELL, WEB, SYSTEM]) {
      for (const how of [CLICK, BY_ITSELF, IN_FRAME]) {
        expect(decideNavigation(owner, url, how)).toBe('deny')
      }
    }
  })

  test.each(['data:text/html,x', 'blob:https://example.org/1', 'about:blank'])(
    'no page takes %j as its address',
    (url) => {
      for (const owner of [SHELL, WEB, SYSTEM]) {
        expect(decideNavigation(owner, url, CLICK)).toBe('deny')
      }
    },
  )

  test('the shell stays where it is', () => {
    expect(decideNavigation(SHELL, 'cloud://dharma/', BY_ITSELF)).toBe('allow')
    for (const url of ['https://example.org/', 'cloud://event-games/', 'cloud://home/']) {
      expect(decideNavigation(SHELL, url, CLICK)).toBe('deny')
    }
  })

  test('a web page goes on in the web by itself, and to the cloud after a click only', () => {
    expect(decideNavigation(WEB, 'https://example.org/', BY_ITSELF)).toBe('allow')
    expect(decideNavigation(WEB, 'http://127.0.0.1:8080/', BY_ITSELF)).toBe('allow')
    for (const url of ['cloud://home', 'cloud://event-games/live', 'dharma:invite/yb3n']) {
      expect(decideNavigation(WEB, url, BY_ITSELF)).toBe('deny')
      expect(decideNavigation(WEB, url, CLICK)).toBe('hand-over')
    }
  })

  test('nothing leads to the shell’s own origin, clicked or not', () => {
    for (const owner of [WEB, SYSTEM]) {
      for (const how of [CLICK, BY_ITSELF, IN_FRAME]) {
        expect(decideNavigation(owner, 'cloud://dharma/', how)).toBe('deny')
      }
      expect(decideWindowOpen(owner, 'cloud://dharma/', { gesture: true })).toBe('deny')
    }
  })

  test('an address with a name and password in it is no address', () => {
    expect(decideNavigation(WEB, 'https://bank.example@evil.example/', CLICK)).toBe('deny')
    expect(decideNavigation(WEB, 'cloud://home@event-games/', CLICK)).toBe('deny')
  })

  test('a system keeps to its own origin; elsewhere goes through the shell, after a click', () => {
    expect(decideNavigation(SYSTEM, `cloud://${KEY}/live`, BY_ITSELF)).toBe('allow')
    for (const url of [
      'cloud://notes/',
      `cloud://${OTHER_KEY}/`,
      'https://example.org/',
      'cloud://settings',
    ]) {
      expect(decideNavigation(SYSTEM, url, BY_ITSELF)).toBe('deny')
      expect(decideNavigation(SYSTEM, url, CLICK)).toBe('hand-over')
    }
  })
})

describe('where a frame inside of a page may go', () => {
  test('frames of web pages stay in the web', () => {
    for (const url of ['https://ads.example/', 'about:blank', 'data:text/html,x']) {
      expect(decideNavigation(WEB, url, IN_FRAME)).toBe('allow')
    }
    expect(decideNavigation(WEB, 'cloud://event-games/', IN_FRAME)).toBe('deny')
  })

  test('frames of systems and of the shell keep to the origin', () => {
    expect(decideNavigation(SYSTEM, `cloud://${KEY}/board`, IN_FRAME)).toBe('allow')
    for (const url of ['cloud://dharma/', 'https://example.org/', 'about:blank']) {
      expect(decideNavigation(SYSTEM, url, IN_FRAME)).toBe('deny')
    }
    expect(decideNavigation(SHELL, 'cloud://event-games/', IN_FRAME)).toBe('deny')
  })
})

describe('new windows', () => {
  test('a page gets a tab for a click, and nothing without one', () => {
    for (const owner of [WEB, SYSTEM]) {
      expect(decideWindowOpen(owner, 'https://example.org/', { gesture: true })).toBe('hand-over')
      expect(decideWindowOpen(owner, 'https://example.org/', { gesture: false })).toBe('deny')
    }
  })

  test.each([...NEVER, 'about:blank', 'data:text/html,x'])('never one on %j', (url) => {
    expect(decideWindowOpen(WEB, url, { gesture: true })).toBe('deny')
  })
})

describe('what a tab can show', () => {
  test('web pages and systems', () => {
    expect(parseTarget('https://example.org')).toEqual({ kind: 'web', url: 'https://example.org/' })
    expect(parseTarget(`cloud://${KEY}/live`)).toEqual({
      kind: 'system',
      system: KEY,
      url: `cloud://${KEY}/live`,
    })
  })

  test('a system by no other name than its key, which nobody else can have', () => {
    expect(parseTarget('cloud://event-games/live')).toBeNull()
    expect(parseTarget(`cloud://${KEY}.${KEY}/`)).toBeNull()
  })

  test.each([...NEVER, 'cloud://dharma/', 'cloud://home', 'cloud://settings/x', 'data:,x'])(
    'not %j',
    (url) => {
      expect(parseTarget(url)).toBeNull()
    },
  )
})

test('the security of a connection is told from its address', () => {
  expect(securityOf('https://example.org/')).toBe('secure')
  expect(securityOf('http://example.org/')).toBe('insecure')
  expect(securityOf('http://127.0.0.1:8080/')).toBe('local')
  expect(securityOf('http://localhost.example.org/')).toBe('insecure')
  expect(securityOf('cloud://event-games/')).toBe('cloud')
})

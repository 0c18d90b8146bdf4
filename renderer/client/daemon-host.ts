// How the page served by the headless daemon gets its connection: WebSockets with the token that
// came in the page's address.
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { isInvitationLink } from '../../node-runtime/contract/join-text.ts'
import { bridge } from '../../node-runtime/rpc/transports/bridge.ts'
import { webSocketPort } from '../../node-runtime/rpc/transports/web-socket.ts'
import type { SocketLike } from '../../node-runtime/rpc/transports/web-socket.ts'
import { parseAddress } from './address.ts'
import { createConnection } from './connection.ts'
import type { OpenedPort } from './connection.ts'
import { createFrameStorage } from './frame-storage.ts'
import { createFrameTabs } from './frame-tabs.ts'
import { createPageTheme } from './page-theme.ts'
import type { ShellHost } from './shell-host.ts'

/** As in the https addresses of invitations. */
const MARK = '#dharma-invite='
const TOKEN_KEY = 'dharma.token'
/** A machine that is only started again answers before as many tries as this have failed. */
const TRIES_OF_A_RESTART = 5

/** The address of a system that is to be shown first, as `?open=cloud://event-games/` names it. */
export function takeWantedAddress(page: Window): string | null {
  const url = new URL(page.location.href)
  const wanted = url.searchParams.get('open')
  if (wanted === null) return null
  // A reload keeps the tabs as they are by then.
  url.searchParams.delete('open')
  page.history.replaceState(null, '', url.pathname + url.search + url.hash)
  return parseAddress(wanted)?.kind === 'system' ? wanted : null
}

/**
 * Calls `listener` with the link of an invitation that the page's address names behind the `#`, now or later.
 * No server is told that part, and the address does not keep it.
 */
export function onInvitation(page: Window, listener: (link: string) => void): void {
  const take = (): void => {
    const { hash, pathname, search } = page.location
    if (!hash.startsWith(MARK)) return
    page.history.replaceState(null, '', pathname + search)
    const link = `dharma:invite/${hash.slice(MARK.length)}`
    if (isInvitationLink(link)) listener(link)
  }
  take()
  page.addEventListener('hashchange', take)
}

/** Takes the token out of the address, so that it is neither seen, bookmarked nor sent on. */
export function takeToken(page: Window): string | null {
  const url = new URL(page.location.href)
  const given = url.searchParams.get('token')
  if (given !== null) {
    page.sessionStorage.setItem(TOKEN_KEY, given)
    url.searchParams.delete('token')
    page.history.replaceState(null, '', url.pathname + url.search + url.hash)
  }
  return page.sessionStorage.getItem(TOKEN_KEY)
}

function socketTo(page: Window, query: string, token: string): SocketLike {
  const scheme = page.location.protocol === 'https:' ? 'wss' : 'ws'
  const socket = new WebSocket(`${scheme}://${page.location.host}/rpc${query}`, ['dharma', token])
  // The DOM's types leave out shared memory, of which no message is made.
  return socket as unknown as SocketLike
}

/** Does the daemon answer? */
async function isServed(page: Window): Promise<boolean> {
  try {
    await fetch(page.location.origin, { method: 'HEAD', cache: 'no-store' })
    return true
  } catch {
    return false
  }
}

/** Does the daemon still take this token? */
async function isTokenTaken(page: Window, token: string): Promise<boolean> {
  const address = `${page.location.origin}/?token=${encodeURIComponent(token)}`
  const { ok } = await fetch(address, { method: 'HEAD', cache: 'no-store' })
  return ok
}

/**
 * A browser does not say why a WebSocket was refused; what is served tells.
 * @param tries  how often it was tried by now, without an answer in between
 */
async function explainRefusal(page: Window, token: string, tries: number): Promise<CloudError> {
  if (!(await isServed(page))) {
    return new CloudError(
      'UNAVAILABLE',
      tries < TRIES_OF_A_RESTART
        ? 'Dharma does not answer on this machine. It may have been stopped.'
        : 'Dharma does not answer at this address. It may have been stopped, or started again at another one: then open the address that "dharma up" printed.',
    )
  }
  if (await isTokenTaken(page, token)) {
    return new CloudError('UNAVAILABLE', 'Dharma takes no more connections at the moment.')
  }
  return new CloudError(
    'UNAUTHENTICATED',
    'Dharma was started again since this page was opened. Open the address that "dharma up" printed: each start has one of its own.',
  )
}

function openRuntimePort(page: Window, token: string | null, tries: number): Promise<OpenedPort> {
  if (token === null) {
    return Promise.reject(
      new CloudError(
        'UNAUTHENTICATED',
        'This page was opened without its key. Use the whole address that "dharma up" printed.',
      ),
    )
  }
  return new Promise((resolve, reject) => {
    const socket = socketTo(page, '', token)
    const port = webSocketPort(socket)
    let wasOpen = false
    const closed = new Promise<void>((done) => {
      socket.addEventListener('close', () => {
        done()
        if (!wasOpen) explainRefusal(page, token, tries).then(reject, reject)
      })
    })
    socket.addEventListener('open', () => {
      wasOpen = true
      resolve({ port, closed, close: () => socket.close() })
    })
  })
}

export function createDaemonHost(page: Window): ShellHost {
  const token = takeToken(page)
  const systemOrigin = (system: string): string => {
    const port = page.location.port === '' ? '' : `:${page.location.port}`
    return `${page.location.protocol}//${system}.localhost${port}`
  }
  const tabs = createFrameTabs({
    page,
    theme: createPageTheme(page),
    systemOrigin,
    openSystemPort: (system) => {
      const { port1, port2 } = new MessageChannel()
      const socket = socketTo(page, `?system=${encodeURIComponent(system)}`, token ?? '')
      const closed = new Promise<void>((resolve) => {
        socket.addEventListener('close', () => resolve())
      })
      return { port: port2, closed, close: bridge(port1, socket) }
    },
  })

  let tries = 0
  const connection = createConnection(async () => {
    tries += 1
    const opened = await openRuntimePort(page, token, tries)
    tries = 0
    return opened
  })
  const storage = createFrameStorage({
    page,
    systemOrigin,
    evict: tabs.evict,
    isServed: () => isServed(page),
  })
  return {
    kind: 'browser',
    connection,
    tabs,
    systemsListed: (keys) => void storage.update(keys),
  }
}

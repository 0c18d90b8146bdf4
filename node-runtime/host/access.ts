// Who may reach the daemon's server: the names it answers to, the token, and where calls may come from.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { systemIdSchema } from '../contract/values.ts'

const LOOPBACK = '127.0.0.1'
const DEFAULT_HTTP_PORT = 80

/** What the Host header of a request names. */
export type Site = { kind: 'shell' } | { kind: 'alias' } | { kind: 'system'; system: string }

function authorityOf(host: string, port: number): string {
  return port === DEFAULT_HTTP_PORT ? host : `${host}:${port}`
}

/** Compared by hash, so that the time taken tells nothing about the token. */
function isSame(given: string, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(expected))
}

/** The checks of one server. */
export class AccessRules {
  readonly authority: string
  readonly origin: string
  /** As it stands in a content security policy. */
  readonly systemAuthorities: string
  readonly #port: number
  readonly #token: string
  /**
   * Lets a browser that has opened the address with the token load the page again. It opens nothing
   * but the page: cookies go to every port of this computer, so it must not be the token.
   */
  readonly #pageCookie: { name: string; value: string }

  constructor(port: number, token: string) {
    this.#port = port
    this.#token = token
    this.authority = authorityOf(LOOPBACK, port)
    this.origin = `http://${this.authority}`
    this.systemAuthorities = authorityOf('*.localhost', port)
    this.#pageCookie = {
      name: `dharma-page-${port}`,
      value: createHmac('sha256', token).update('page').digest('base64url'),
    }
  }

  /**
   * Null for any name that is not ours: a stranger's name that resolves to this computer (DNS
   * rebinding) gets nothing.
   */
  siteOf({ headers }: IncomingMessage): Site | null {
    const host = headers.host?.toLowerCase()
    if (host === undefined) return null
    if (host === this.authority) return { kind: 'shell' }
    if (host === authorityOf('localhost', this.#port)) return { kind: 'alias' }
    const suffix = authorityOf('.localhost', this.#port)
    if (!host.endsWith(suffix)) return null
    const id = systemIdSchema.safeParse(host.slice(0, -suffix.length))
    return id.success ? { kind: 'system', system: id.data } : null
  }

  /** Browsers always say where a WebSocket comes from; programs such as `dharma call` do not. */
  isOriginAllowed({ headers }: IncomingMessage): boolean {
    return headers.origin === undefined || headers.origin === this.origin
  }

  isToken(given: string | null | undefined): boolean {
    return given !== null && given !== undefined && isSame(given, this.#token)
  }

  /** The token of a WebSocket, which is its second subprotocol after `dharma`. */
  hasSocketToken({ headers }: IncomingMessage): boolean {
    const [protocol, token] = (headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/)
    return protocol === 'dharma' && this.isToken(token)
  }

  hasPageCookie({ headers }: IncomingMessage): boolean {
    const { name, value } = this.#pageCookie
    const cookies = (headers.cookie ?? '').split(/;\s*/)
    const given = cookies.find((cookie) => cookie.startsWith(`${name}=`))
    return given !== undefined && isSame(given.slice(name.length + 1), value)
  }

  /** Sent once the token has been shown. */
  get pageCookieHeader(): string {
    const { name, value } = this.#pageCookie
    return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict`
  }
}

// How a router that speaks UPnP is asked for on the local network (SSDP, UPnP Device Architecture 1.1, section 1.3),
// and what counts as an answer.
import { parseIpv4 } from './ipv4.ts'

export const SSDP_GROUP = '239.255.255.250'
export const SSDP_PORT = 1_900

/** A few header lines. */
export const MAX_SSDP_BYTES = 2_048
const MAX_URL_CHARS = 512

/** Both versions answer to the first. */
const GATEWAY = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'

/** @param withinS  how long whoever answers may wait, so that not all do at once */
export function writeSearch(withinS: number): Uint8Array {
  const lines = [
    'M-SEARCH * HTTP/1.1',
    `HOST: ${SSDP_GROUP}:${SSDP_PORT}`,
    'MAN: "ssdp:discover"',
    `MX: ${withinS}`,
    `ST: ${GATEWAY}`,
  ]
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Where an answer says that the description of the router is; null for what is none. */
export function readSearchAnswer(bytes: Uint8Array): string | null {
  if (bytes.byteLength > MAX_SSDP_BYTES) return null
  const [status = '', ...lines] = new TextDecoder('latin1').decode(bytes).split(/\r?\n/)
  if (!/^HTTP\/1\.[01] 200(?: |$)/.test(status)) return null
  const headers = new Map<string, string>()
  for (const line of lines) {
    if (line === '') break
    const colon = line.indexOf(':')
    if (colon < 1) return null
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  if (!/^urn:schemas-upnp-org:device:InternetGatewayDevice:[12]$/.test(headers.get('st') ?? '')) {
    return null
  }
  return headers.get('location') ?? null
}

/**
 * A URL of the router and of nobody else, over plain HTTP, since its address is all that is known of it.
 * @param host  the router, IPv4
 * @param base  to which the URL may be relative
 */
export function readRouterUrl(text: string, host: string, base?: URL): URL | null {
  if (text.length > MAX_URL_CHARS) return null
  let url: URL
  try {
    url = new URL(text, base)
  } catch {
    // It is none.
    return null
  }
  const isSafe = url.protocol === 'http:' && url.username === '' && url.password === ''
  // A name could lead anywhere. URLs write addresses in one way only.
  return isSafe && parseIpv4(url.hostname) !== null && url.hostname === host ? url : null
}

// What is said in PCP (RFC 6887), the successor of NAT-PMP, on the same port of the router: one request, MAP, for UDP.
import { formatIpv4, parseIpv4 } from './ipv4.ts'
import type { PortWish } from './nat-pmp.ts'

const VERSION = 2
const MAP = 1
const IS_ANSWER = 128
const UDP = 17
const HEADER_BYTES = 24
const MAP_BYTES = 36
/** RFC 6887, section 7. */
const MAX_BYTES = 1_100
export const NONCE_BYTES = 12

const UNSUPPORTED_VERSION = 1

export interface PcpWish extends PortWish {
  /** Of this computer, on the router's side of it: a router in between would be noticed by it. */
  clientHost: string
  /** By which a mapping is renewed and taken back: random bytes that only who asked for it knows. */
  nonce: Uint8Array
}

export type PcpAnswer =
  | {
      op: 'map'
      /** 0 if it was done. */
      result: number
      epochS: number
      lifetimeS: number
      nonce: Uint8Array
      internalPort: number
      externalPort: number
      /** Null if it is no IPv4 address. */
      externalHost: string | null
    }
  /** The router speaks another version, or NAT-PMP only. */
  | { op: 'unsupported' }

/** @throws TypeError for a `clientHost` that is no IPv4 address */
export function writePcpMap(wish: PcpWish): Uint8Array {
  const { internalPort, externalPort, lifetimeS, clientHost, nonce } = wish
  const bytes = new Uint8Array(HEADER_BYTES + MAP_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, VERSION)
  view.setUint8(1, MAP)
  view.setUint32(4, lifetimeS)
  bytes.set(mapped(clientHost), 8)
  bytes.set(nonce, HEADER_BYTES)
  view.setUint8(HEADER_BYTES + 12, UDP)
  view.setUint16(HEADER_BYTES + 16, internalPort)
  view.setUint16(HEADER_BYTES + 18, externalPort)
  bytes.set(mapped('0.0.0.0'), HEADER_BYTES + 20)
  return bytes
}

/** Null for what is none, of whatever length. Options that follow are left out. */
export function readPcpAnswer(bytes: Uint8Array): PcpAnswer | null {
  if (bytes.byteLength < 4 || bytes.byteLength > MAX_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isAnswer = view.getUint8(1) >= IS_ANSWER
  // One that speaks NAT-PMP only answers in its own form, with its result in another place.
  if (bytes[0] === 0) {
    return isAnswer && view.getUint16(2) === UNSUPPORTED_VERSION ? { op: 'unsupported' } : null
  }
  if (!isAnswer) return null
  const result = view.getUint8(3)
  if (result === UNSUPPORTED_VERSION) return { op: 'unsupported' }
  if (bytes[0] !== VERSION || view.getUint8(1) !== IS_ANSWER + MAP) return null
  if (bytes.byteLength < HEADER_BYTES + MAP_BYTES) return null
  if (view.getUint8(HEADER_BYTES + 12) !== UDP) return null
  return {
    op: 'map',
    result,
    lifetimeS: view.getUint32(4),
    epochS: view.getUint32(8),
    nonce: bytes.slice(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES),
    internalPort: view.getUint16(HEADER_BYTES + 16),
    externalPort: view.getUint16(HEADER_BYTES + 18),
    externalHost: unmapped(bytes.subarray(HEADER_BYTES + 20, HEADER_BYTES + MAP_BYTES)),
  }
}

/** What a result other than 0 means (RFC 6887, section 7.4). */
export function describePcpResult(result: number): string {
  const words: Record<number, string> = {
    2: 'it is set not to',
    3: 'it does not understand the question',
    4: 'it does not know the question',
    7: 'it has no network outside',
    8: 'it has no port left',
    9: 'it has none for UDP',
    10: 'this computer has too many ports already',
    11: 'it can’t give such a port',
    12: 'another router is between this computer and it',
  }
  return words[result] ?? `result ${result}`
}

/** An IPv4 address as IPv6 writes it. */
function mapped(host: string): Uint8Array {
  const address = parseIpv4(host)
  if (address === null) throw new TypeError(`not an IPv4 address: ${host}`)
  const bytes = new Uint8Array(16).fill(0xff, 10, 12)
  bytes.set(address, 12)
  return bytes
}

function unmapped(bytes: Uint8Array): string | null {
  const isMapped = bytes.every((byte, at) => at >= 12 || byte === (at < 10 ? 0 : 0xff))
  return isMapped ? formatIpv4(bytes.subarray(12)) : null
}

// What is said in NAT-PMP (RFC 6886): a router is asked for its address outside, and to send on what comes for a port
// there. For UDP only.
import { formatIpv4 } from './ipv4.ts'

/** Of the router, UDP; PCP has the same. */
export const GATEWAY_PORT = 5_351

const VERSION = 0
const ADDRESS = 0
const MAP_UDP = 1
const IS_ANSWER = 128
const ADDRESS_BYTES = 12
const MAP_BYTES = 16

/** How long a mapping is to hold, and for which ports. */
export interface PortWish {
  internalPort: number
  /** The router may give another one. */
  externalPort: number
  /** 0 takes the mapping back. */
  lifetimeS: number
}

export type NatPmpAnswer =
  /** `result`: 0 if it was done. `epochS`: how long the router has kept its mappings. */
  | { op: 'address'; result: number; epochS: number; host: string }
  | {
      op: 'map'
      result: number
      epochS: number
      internalPort: number
      externalPort: number
      lifetimeS: number
    }

/** Asks for the router's address outside. */
export function writeAddressQuestion(): Uint8Array {
  return Uint8Array.of(VERSION, ADDRESS)
}

export function writeMapQuestion({ internalPort, externalPort, lifetimeS }: PortWish): Uint8Array {
  const bytes = new Uint8Array(12)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, VERSION)
  view.setUint8(1, MAP_UDP)
  view.setUint16(4, internalPort)
  view.setUint16(6, externalPort)
  view.setUint32(8, lifetimeS)
  return bytes
}

/** Null for what is none, of whatever length. An answer that refuses may be shorter than one that grants. */
export function readNatPmpAnswer(bytes: Uint8Array): NatPmpAnswer | null {
  if (bytes.byteLength < 8 || bytes.byteLength > MAP_BYTES || bytes[0] !== VERSION) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const result = view.getUint16(2)
  const epochS = view.getUint32(4)
  switch (bytes[1]) {
    case IS_ANSWER + ADDRESS: {
      if (bytes.byteLength < ADDRESS_BYTES) {
        return result === 0 ? null : { op: 'address', result, epochS, host: '0.0.0.0' }
      }
      return { op: 'address', result, epochS, host: formatIpv4(bytes.subarray(8, 12)) }
    }
    case IS_ANSWER + MAP_UDP: {
      if (bytes.byteLength < MAP_BYTES) {
        const none = { internalPort: 0, externalPort: 0, lifetimeS: 0 }
        return result === 0 ? null : { op: 'map', result, epochS, ...none }
      }
      return {
        op: 'map',
        result,
        epochS,
        internalPort: view.getUint16(8),
        externalPort: view.getUint16(10),
        lifetimeS: view.getUint32(12),
      }
    }
    default:
      return null
  }
}

/** What a result other than 0 means (RFC 6886, section 3.5). */
export function describeNatPmpResult(result: number): string {
  const words: Record<number, string> = {
    1: 'it speaks another version',
    2: 'it is set not to',
    3: 'it has no address outside itself',
    4: 'it has no port left',
    5: 'it does not know the question',
  }
  return words[result] ?? `result ${result}`
}

// What machines say on the local network: multicast DNS (RFC 6762), in the shape of DNS-SD (RFC 6763). What others
// say there is measured before it is parsed.
import * as dns from 'dns-packet'
import type { Answer, Packet } from 'dns-packet'
import { SEALED_SIGHTING_BYTES } from '../../core/forms/lan-form.ts'

export const MDNS_GROUP = '224.0.0.251'
export const MDNS_PORT = 5353
export const SERVICE = '_dharma._udp.local'
/** What others may keep an answer for; machines of the cloud ask each minute. */
const TTL_SECONDS = 120
/** Those of ours have less than 500; no packet on Ethernet has more. */
export const MAX_PACKET_BYTES = 1_500
/** Questions and records of one packet; ours have four. */
const MAX_RECORDS = 16
/** A packet of ours names one machine. */
const MAX_NAMED = 4
const HEADER_BYTES = 12
/** How the service is written in a packet: whoever means it has written it out. */
const SERVICE_BYTES = Buffer.from('\x07_dharma\x04_udp\x05local\0', 'latin1')
/** In TXT: the form of what follows, and then the machine, sealed. */
const SEALED_NAME = Buffer.from('m1=')

/** What a packet of others comes to. */
export interface LanPacket {
  /** Somebody wants to know who is here. */
  isQuestion: boolean
  /** Names of machines, sealed; whether they come or go. */
  named: { sealed: Uint8Array; isLeaving: boolean }[]
}

export interface Announcement {
  /** Chance: it tells the records of one machine from those of another. */
  instance: string
  /** Of the interface on which it is sent. */
  host: string
  port: number
  sealed: Uint8Array
  isLeaving: boolean
}

/** Who is here? */
export function encodeQuestion(): Uint8Array {
  return dns.encode({ type: 'query', questions: [{ name: SERVICE, type: 'PTR', class: 'IN' }] })
}

/** This machine is here, or leaves. */
export function encodeAnnouncement(announcement: Announcement): Uint8Array {
  const { instance, host, port, sealed, isLeaving } = announcement
  const name = `${instance}.${SERVICE}`
  const target = `${instance}.local`
  const ttl = isLeaving ? 0 : TTL_SECONDS
  return dns.encode({
    type: 'response',
    flags: dns.AUTHORITATIVE_ANSWER,
    answers: [
      { type: 'PTR', name: SERVICE, ttl, data: name },
      { type: 'SRV', name, ttl, flush: true, data: { target, port, priority: 0, weight: 0 } },
      { type: 'TXT', name, ttl, flush: true, data: [Buffer.concat([SEALED_NAME, sealed])] },
      { type: 'A', name: target, ttl, flush: true, data: host },
    ],
  })
}

/** Is it worth reading? Others say much on a local network, and most of it is about printers. */
export function concernsUs(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_PACKET_BYTES) return false
  return bufferOf(bytes).includes(SERVICE_BYTES)
}

/** Null if it does not concern us, or is no such packet. Whatever the bytes are, it does not throw. */
export function readPacket(bytes: Uint8Array): LanPacket | null {
  if (!concernsUs(bytes)) return null
  const packet = bufferOf(bytes)
  let records = 0
  for (let at = 4; at < HEADER_BYTES; at += 2) records += packet.readUInt16BE(at)
  if (records > MAX_RECORDS) return null
  let parsed: Packet
  try {
    parsed = dns.decode(packet)
  } catch {
    // Anybody can send anything here; that is no news.
    return null
  }
  if (parsed.type === 'query') return { isQuestion: asksForUs(parsed), named: [] }
  const { answers = [], additionals = [] } = parsed
  return {
    isQuestion: false,
    named: [...answers, ...additionals].flatMap(named).slice(0, MAX_NAMED),
  }
}

function asksForUs({ questions = [] }: Packet): boolean {
  return questions.some(({ name, type }) => name === SERVICE && type === 'PTR')
}

function named(answer: Answer): LanPacket['named'] {
  if (answer.type !== 'TXT' || !answer.name.endsWith(`.${SERVICE}`)) return []
  const texts = Array.isArray(answer.data) ? answer.data : [answer.data]
  return texts
    .filter((text) => typeof text !== 'string')
    .filter((text) => text.length === SEALED_NAME.length + SEALED_SIGHTING_BYTES)
    .filter((text) => text.subarray(0, SEALED_NAME.length).equals(SEALED_NAME))
    .map((text) => ({
      sealed: new Uint8Array(text.subarray(SEALED_NAME.length)),
      isLeaving: answer.ttl === 0,
    }))
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

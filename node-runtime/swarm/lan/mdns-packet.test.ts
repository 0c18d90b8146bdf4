import * as dns from 'dns-packet'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import vectors from '../../core/fixtures/lan-v1.json' with { type: 'json' }
import { SEALED_SIGHTING_BYTES } from '../../core/forms/lan-form.ts'
import { fromHex, toHex } from '../../core/keys.ts'
import {
  encodeAnnouncement,
  encodeQuestion,
  MAX_PACKET_BYTES,
  readPacket,
  SERVICE,
} from './mdns-packet.ts'

const { packets } = vectors
const { instance, host, port } = packets
const sealed = fromHex(vectors.sealed)
const announcement = { instance, host, port, sealed, isLeaving: false }

describe('a packet on the local network', () => {
  it('is that of the frozen vectors', () => {
    expect(toHex(encodeQuestion())).toBe(packets.question)
    expect(toHex(encodeAnnouncement(announcement))).toBe(packets.announcement)
    expect(toHex(encodeAnnouncement({ ...announcement, isLeaving: true }))).toBe(packets.goodbye)
  })

  it('is read as it was meant', () => {
    expect(readPacket(fromHex(packets.question))).toEqual({ isQuestion: true, named: [] })
    expect(readPacket(fromHex(packets.announcement))).toEqual({
      isQuestion: false,
      named: [{ sealed, isLeaving: false }],
    })
    expect(readPacket(fromHex(packets.goodbye))?.named).toEqual([{ sealed, isLeaving: true }])
  })

  it('is as other programs for DNS-SD expect it', () => {
    const { answers = [] } = dns.decode(Buffer.from(packets.announcement, 'hex'))
    const name = `${instance}.${SERVICE}`
    expect(answers).toMatchObject([
      { type: 'PTR', name: SERVICE, ttl: 120, data: name, flush: false },
      { type: 'SRV', name, ttl: 120, flush: true, data: { target: `${instance}.local`, port } },
      { type: 'TXT', name, ttl: 120, flush: true },
      { type: 'A', name: `${instance}.local`, ttl: 120, flush: true, data: host },
    ])
  })

  it('of other services is passed over, and so is what is not of ours in form', () => {
    const response = (answers: dns.Answer[]): Uint8Array =>
      dns.encode({ type: 'response', answers })
    const printer = { type: 'PTR', name: '_ipp._tcp.local', data: 'x._ipp._tcp.local' } as const
    expect(readPacket(response([printer]))).toBeNull()
    const text = (name: string, ...data: Buffer[]): dns.Answer => ({ type: 'TXT', name, data })
    const ours = Buffer.concat([Buffer.from('m1='), sealed])
    const other = Buffer.concat([Buffer.from('m2='), sealed])
    const packet = response([
      { type: 'PTR', name: SERVICE, data: `a.${SERVICE}` },
      text(`a.${SERVICE}`, ours.subarray(1), Buffer.concat([ours, Buffer.from('x')]), other),
      text('a._other._udp.local', ours),
      text(SERVICE, ours),
    ])
    expect(readPacket(packet)).toEqual({ isQuestion: false, named: [] })
    const question = dns.encode({
      type: 'query',
      questions: [{ name: `x.${SERVICE}`, type: 'PTR' }],
    })
    expect(readPacket(question)).toEqual({ isQuestion: false, named: [] })
  })

  it('names four machines at most', () => {
    const data = Buffer.concat([Buffer.from('m1='), sealed])
    const answer = { type: 'TXT', name: `a.${SERVICE}`, data } as const
    const packet = dns.encode({
      type: 'response',
      answers: Array.from({ length: 8 }, () => answer),
    })
    expect(packet.length).toBeLessThan(MAX_PACKET_BYTES)
    expect(readPacket(packet)?.named).toHaveLength(4)
  })

  it('is not parsed if it is long, or says that it has many records', () => {
    const long = Buffer.concat([fromHex(packets.announcement), Buffer.alloc(MAX_PACKET_BYTES)])
    expect(readPacket(long)).toBeNull()
    const { answers = [] } = dns.decode(Buffer.from(packets.announcement, 'hex'))
    const filled = (count: number): Uint8Array => {
      const more = Array.from(
        { length: count },
        () => ({ type: 'A', name: 'a', data: host }) as const,
      )
      return dns.encode({ type: 'response', answers: [...answers, ...more] })
    }
    expect(filled(13).length).toBeLessThan(MAX_PACKET_BYTES)
    expect(readPacket(filled(12))?.named).toHaveLength(1)
    expect(readPacket(filled(13))).toBeNull()
  })

  it('whatever its bytes are, is read or is none', () => {
    const genuine = [packets.question, packets.announcement, packets.goodbye].map(fromHex)
    const changed = fc
      .tuple(
        fc.constantFrom(...genuine),
        fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
        fc.nat(400),
      )
      .map(([packet, changes, cut]) => {
        const bytes = Uint8Array.from(packet)
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte
        return cut < 50 ? bytes.subarray(0, cut * 8) : bytes
      })
    const service = Buffer.from('\x07_dharma\x04_udp\x05local\0', 'latin1')
    const random = fc
      .tuple(
        fc.uint8Array({ maxLength: 600, size: 'max' }),
        fc.uint8Array({ maxLength: 600, size: 'max' }),
      )
      .map(([before, after]) => Buffer.concat([before, service, after]))
    fc.assert(
      fc.property(fc.oneof(changed, random), (bytes) => {
        const packet = readPacket(bytes)
        for (const { sealed: name } of packet?.named ?? []) {
          expect(name).toHaveLength(SEALED_SIGHTING_BYTES)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes no more than some milliseconds, at its worst', () => {
    // Names of 127 labels, each written once and pointed to by all others.
    const labels = Buffer.concat([
      Buffer.from('\x01a'.repeat(114), 'latin1'),
      Buffer.from('\x07_dharma\x04_udp\x05local\0', 'latin1'),
    ])
    const rest = Buffer.alloc(15 * 16)
    for (let n = 0; n < 15; n++) {
      rest.set([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 9, 0, 4, 3, 65, 65, 65], n * 16)
    }
    const packet = Buffer.concat([Buffer.alloc(12), labels, Buffer.from([0, 12, 0, 1]), rest])
    packet.writeUInt16BE(0x84_00, 2)
    packet.writeUInt16BE(1, 4)
    packet.writeUInt16BE(15, 6)
    expect(readPacket(packet)).not.toBeNull()
    const fromMs = performance.now()
    for (let n = 0; n < 100; n++) readPacket(packet)
    expect((performance.now() - fromMs) / 100).toBeLessThan(10)
  })
})

// The router is asked for a port by PCP and by NAT-PMP: one question and one answer each.
import type { PortMapping } from '../../core/port-mapping/mapping-core.ts'
import {
  describeNatPmpResult,
  readNatPmpAnswer,
  writeAddressQuestion,
  writeMapQuestion,
} from '../../core/port-mapping/nat-pmp.ts'
import type { NatPmpAnswer, PortWish } from '../../core/port-mapping/nat-pmp.ts'
import { describePcpResult, readPcpAnswer, writePcpMap } from '../../core/port-mapping/pcp.ts'
import type { Gateway } from './gateway.ts'
import { askGateway } from './gateway-question.ts'
import { MappingFailure } from './mapping-failure.ts'

/** A router is a millisecond away, on a bad radio link a hundred. */
const WAITS_MS = [250, 500, 750]
/** One that did not answer to PCP is asked by NAT-PMP with less patience. */
const SHORT_WAITS_MS = [250, 500]

export interface RouterAsk {
  gateway: Gateway
  /** Of the router, UDP. */
  port: number
  /** How long answers are waited for, as a part of what is usual. */
  patience: number
  wish: PortWish
  signal: AbortSignal
}

/** Null if the router does not speak it. @throws MappingFailure REFUSED or BAD_ANSWER */
export async function mapByPcp(
  { gateway, port, patience, wish, signal }: RouterAsk,
  nonce: Uint8Array,
): Promise<PortMapping | null> {
  const { host, ownHost } = gateway
  const answer = await askGateway({
    host,
    ownHost,
    port,
    question: writePcpMap({ ...wish, clientHost: ownHost, nonce }),
    read: (bytes) => {
      const read = readPcpAnswer(bytes)
      if (read?.op !== 'map') return read
      const isOurs = Buffer.compare(read.nonce, nonce) === 0
      return isOurs && read.internalPort === wish.internalPort ? read : null
    },
    waitsMs: WAITS_MS.map((waitMs) => waitMs * patience),
    signal,
  })
  if (answer === null || answer.op === 'unsupported') return null
  const { result, externalHost, externalPort, lifetimeS } = answer
  if (result !== 0) throw refused(describePcpResult(result))
  if (wish.lifetimeS === 0) return null
  if (externalHost === null || externalPort === 0 || lifetimeS === 0) throw badAnswer()
  return {
    by: 'pcp',
    address: { host: externalHost, port: externalPort },
    lifetimeMs: lifetimeS * 1_000,
  }
}

/** Null if the router does not speak it. @throws MappingFailure REFUSED or BAD_ANSWER */
export async function mapByNatPmp({
  gateway,
  port,
  patience,
  wish,
  signal,
}: RouterAsk): Promise<PortMapping | null> {
  const ask = <T extends NatPmpAnswer['op']>(op: T, question: Uint8Array) =>
    askGateway({
      ...gateway,
      port,
      question,
      read: (bytes) => {
        const answer = readNatPmpAnswer(bytes)
        return isOf(op, answer) ? answer : null
      },
      waitsMs: SHORT_WAITS_MS.map((waitMs) => waitMs * patience),
      signal,
    })
  const isTakenBack = wish.lifetimeS === 0
  const outside = isTakenBack ? null : await ask('address', writeAddressQuestion())
  if (outside === null && !isTakenBack) return null
  if (outside !== null && outside.result !== 0) throw refused(describeNatPmpResult(outside.result))
  const answer = await ask('map', writeMapQuestion(wish))
  if (answer === null) return null
  const { result, internalPort, externalPort, lifetimeS } = answer
  if (result !== 0) throw refused(describeNatPmpResult(result))
  if (outside === null) return null
  if (internalPort !== wish.internalPort || externalPort === 0 || lifetimeS === 0) throw badAnswer()
  return {
    by: 'nat-pmp',
    address: { host: outside.host, port: externalPort },
    lifetimeMs: lifetimeS * 1_000,
  }
}

function isOf<T extends NatPmpAnswer['op']>(
  op: T,
  answer: NatPmpAnswer | null,
): answer is Extract<NatPmpAnswer, { op: T }> {
  return answer?.op === op
}

export function refused(why: string): MappingFailure {
  return new MappingFailure(
    'REFUSED',
    `The router gives this computer no port: ${why}. Port mapping (UPnP, NAT-PMP or PCP) can be allowed in its settings.`,
  )
}

export function badAnswer(): MappingFailure {
  return new MappingFailure(
    'BAD_ANSWER',
    'The router answered something that is not to be understood, and is left alone for a while.',
  )
}

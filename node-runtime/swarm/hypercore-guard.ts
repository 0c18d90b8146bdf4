// Hypercore's replication, made safe against the other side: its handlers take any number at its word,
// loop over it, and fail in ways that end the process. Each message is measured against what the core
// can be before Hypercore sees it. The one place that knows the inside of Hypercore's channel.
import type { Channel, ChannelOptions, MessageOptions } from 'protomux'
import { Budget } from '../core/budget.ts'
import type { CoreLimits } from '../ports/link-mux.ts'

/** The name of its channels, and the alias that it also answers to. */
export const HYPERCORE_PROTOCOLS: ReadonlySet<string> = new Set(['hypercore/alpha', 'hypercore'])

/** The messages of a channel, in the order of their numbers. */
export const HYPERCORE_MESSAGES = [
  'sync',
  'request',
  'cancel',
  'data',
  'noData',
  'want',
  'unwant',
  'bitfield',
  'range',
  'extension',
] as const

/** Hypercore asks for, and tells of, blocks in steps of this many. */
const WANT_BLOCKS = 2_097_152
/** Nodes of a tree over 2⁵³ blocks, and as many again for the roots beside it. */
const MAX_PROOF_NODES = 128
/** Twice what Hypercore itself has under way at most. */
const MAX_REQUESTS = 1_024
/** Cancelled requests stay in Hypercore's queue until it is empty. */
const MAX_QUEUED = 65_536
/** Bitfields to be answered with, each up to 256 kB. */
const WANTS = { perSecond: 16, burst: 256 }
/** Data that was not asked for, or no longer: answers that crossed a cancellation are some. */
const UNASKED = { perSecond: 128, burst: 1_024 }

export interface HypercoreGuardOptions {
  limits: CoreLimits
  /** The other side broke the rules; the channel is closed. */
  onViolation: (reason: string) => void
  /** Monotonic ms. */
  nowMs: () => number
}

/** What Hypercore keeps with a channel, as far as the guard reads it. */
interface HypercorePeer {
  remoteRequests: Map<unknown, unknown>
  receiverQueue: { length: number }
  replicator: { _inflight: { get(id: number): unknown } }
}

interface Numbered {
  [field: string]: unknown
}

/** Is this a whole number from 0 to `max`? */
function within(value: unknown, max: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max
}

function areFew(nodes: unknown): boolean {
  return Array.isArray(nodes) && nodes.length <= MAX_PROOF_NODES
}

/**
 * What is wrong with a message, or null. Numbers are bounded by the blocks that the core can have, so
 * that no loop and no bitfield grows beyond that.
 */
export function faultOf(
  kind: (typeof HYPERCORE_MESSAGES)[number],
  message: Numbered,
  { maxBlocks, maxBlockBytes }: CoreLimits,
): string | null {
  const maxBytes = maxBlocks * maxBlockBytes
  // A fork has another number; our cores never have one.
  if ('fork' in message && message['fork'] !== 0) return 'a fork'
  switch (kind) {
    case 'sync':
      return within(message['length'], maxBlocks) && within(message['remoteLength'], maxBlocks)
        ? null
        : 'a length beyond the core'
    case 'request':
      return isFitRequest(message, maxBlocks, maxBytes) ? null : 'a request beyond the core'
    case 'data':
      return isFitData(message, maxBlocks, maxBlockBytes, maxBytes) ? null : 'data beyond the core'
    case 'want':
    case 'unwant':
      return within(message['start'], maxBlocks) &&
        within(message['length'], maxBlocks + 2 * WANT_BLOCKS)
        ? null
        : 'a want beyond the core'
    case 'bitfield': {
      const { start, bitfield } = message
      // In words of 32 bits, of which the last may reach beyond the end.
      return within(start, maxBlocks) &&
        Number(start) % 32 === 0 &&
        bitfield instanceof Uint32Array &&
        Number(start) + bitfield.length * 32 <= maxBlocks + 31
        ? null
        : 'a bitfield beyond the core'
    }
    case 'range': {
      const { start, length } = message
      return within(start, maxBlocks) &&
        within(length, maxBlocks) &&
        Number(start) + Number(length) <= maxBlocks
        ? null
        : 'a range beyond the core'
    }
    case 'cancel':
    case 'noData':
    case 'extension':
      return null
  }
}

function isFitRequest(message: Numbered, maxBlocks: number, maxBytes: number): boolean {
  const { block, hash, seek, upgrade } = message as Record<string, Numbered | null>
  return (
    (!block || (within(block['index'], maxBlocks) && within(block['nodes'], MAX_PROOF_NODES))) &&
    (!hash || (within(hash['index'], 2 * maxBlocks) && within(hash['nodes'], MAX_PROOF_NODES))) &&
    (!seek || (within(seek['bytes'], maxBytes) && within(seek['padding'], maxBytes))) &&
    (!upgrade || isFitUpgrade(upgrade, maxBlocks))
  )
}

function isFitUpgrade(upgrade: Numbered, maxBlocks: number): boolean {
  return (
    within(upgrade['start'], maxBlocks) &&
    within(upgrade['length'], maxBlocks) &&
    Number(upgrade['start']) + Number(upgrade['length']) <= maxBlocks
  )
}

function isFitData(
  message: Numbered,
  maxBlocks: number,
  maxBlockBytes: number,
  maxBytes: number,
): boolean {
  const { block, hash, seek, upgrade } = message as Record<string, Numbered | null>
  const value = block?.['value']
  return (
    (!block ||
      (within(block['index'], maxBlocks) &&
        value instanceof Uint8Array &&
        value.byteLength <= maxBlockBytes &&
        areFew(block['nodes']))) &&
    (!hash || (within(hash['index'], 2 * maxBlocks) && areFew(hash['nodes']))) &&
    (!seek || (within(seek['bytes'], maxBytes) && areFew(seek['nodes']))) &&
    (!upgrade ||
      (isFitUpgrade(upgrade, maxBlocks) &&
        areFew(upgrade['nodes']) &&
        areFew(upgrade['additionalNodes'])))
  )
}

/**
 * The options of a Hypercore channel, with the guard between the wire and Hypercore.
 * @throws TypeError if Hypercore's channel is not the one that the guard knows
 */
export function guardHypercore(
  options: ChannelOptions,
  { limits, onViolation, nowMs }: HypercoreGuardOptions,
): ChannelOptions {
  const { messages = [] } = options
  if (messages.length !== HYPERCORE_MESSAGES.length) {
    throw new TypeError('this version of Hypercore speaks other messages than the guard knows')
  }
  const wants = new Budget(WANTS, nowMs())
  const unasked = new Budget(UNASKED, nowMs())
  let queued = 0

  const excessOf = (
    kind: (typeof HYPERCORE_MESSAGES)[number],
    message: Numbered,
    peer: HypercorePeer,
  ): string | null => {
    if (kind === 'request') {
      queued = peer.receiverQueue.length === 0 ? 0 : queued + 1
      const tooMany = peer.remoteRequests.size >= MAX_REQUESTS || queued >= MAX_QUEUED
      return tooMany ? 'too many requests at once' : null
    }
    if (kind === 'want' || kind === 'unwant') {
      return wants.tryUse(1, nowMs()) ? null : 'too many wants'
    }
    if (kind === 'data' || kind === 'noData') {
      const { request } = message
      const asked =
        typeof request === 'number' && request > 0 && peer.replicator._inflight.get(request)
      return asked || unasked.tryUse(1, nowMs()) ? null : 'data that nobody asked for'
    }
    return null
  }

  const guarded = messages.map((wrapped, number) => {
    const kind = HYPERCORE_MESSAGES[number]
    const { encoding, onmessage } = wrapped as unknown as MessageOptions<Numbered>
    return {
      encoding,
      onmessage: (message: Numbered, channel: Channel): unknown => {
        // Nothing of ours extends Hypercore, and its extensions keep what strangers name.
        if (kind === undefined || kind === 'extension' || channel.closed) return null
        const fault =
          faultOf(kind, message, limits) ??
          excessOf(kind, message, channel.userData as HypercorePeer)
        if (fault === null) return onmessage(message, channel)
        channel.close()
        onViolation(`${fault} on Hypercore’s channel`)
        return null
      },
    }
  })
  return { ...options, messages: guarded as unknown as MessageOptions<never>[] }
}

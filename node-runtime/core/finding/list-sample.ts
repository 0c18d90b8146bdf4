// Which machines of a cloud its look-up lists name. However large the cloud is, they are at most 512, in shards
// that can be read one by one: enough that some are there, from so many networks that nobody has most of them.
// All writers who know of the same machines draw the same ones, so that they seldom undo each other's work.
import { decodeKey, domainBytes, hash } from '../keys.ts'
import type { MachineAddress } from './dial-list.ts'

/** A small cloud has one file, and a large one so many that readers of one each share the load. */
export const SHARD_COUNTS = [1, 4, 16] as const
export type ShardCount = (typeof SHARD_COUNTS)[number]

/** Of a whole shard some are there, even if most have gone since; read at once, it is 50 kB. */
export const PER_SHARD = 32
/** Places for those that have been on the list longest; the others are drawn from all, whatever their age. */
const LONG_LIVED_PLACES = 24
/** Of one network, as long as others are there to fill the shard. */
const PER_NETWORK = 4
const DAY_MS = 24 * 3_600_000
/** Ages of 1, 2, 4, … days are told apart, up to a month: beyond, all are as good. */
const MAX_AGE_CLASS = 5
/** So long a draw stays. Then another part of a large cloud is named, and no machine has all newcomers for ever. */
const DRAW_MS = 7 * DAY_MS

export interface Candidate {
  machine: string
  /** See `networkOf`. */
  network: string
  /** Since when it has been on the list. */
  sinceMs: number
}

/** Of machines that name no address of the internet. */
export const PRIVATE_NETWORK = 'private'

/** What a machine's addresses have in common with its neighbours': a /16, the first that is no private one. */
export function networkOf(addresses: readonly MachineAddress[]): string {
  for (const { host } of addresses) {
    const [a = 0, b = 0] = host.split('.').map(Number)
    const isPrivate =
      a === 10 ||
      a === 127 ||
      (a === 172 && b >= 16 && b < 32) ||
      (a === 192 && b === 168) ||
      (a === 169 && b === 254) ||
      (a === 100 && b >= 64 && b < 128)
    if (!isPrivate) return `${a}.${b}`
  }
  return PRIVATE_NETWORK
}

/** How many shards a list of so many machines has. */
export function shardCountFor(machines: number): ShardCount {
  return SHARD_COUNTS.find((count) => machines <= count * PER_SHARD) ?? 16
}

/** In which shard a machine stands: by its key, so that one that stays is never written to another file. */
export function shardOf(machine: string, shards: ShardCount): number {
  const [first = 0] = decodeKey(machine) ?? []
  return Math.floor((first * shards) / 256)
}

/**
 * Draws the machines that the list names: for each shard at most `PER_SHARD`, the same for the same candidates
 * in the same week.
 */
export function drawSample(candidates: readonly Candidate[], nowMs: number): string[][] {
  const shards = shardCountFor(candidates.length)
  const week = Math.floor(nowMs / DRAW_MS)
  const drawn: Ranked[][] = Array.from({ length: shards }, () => [])
  for (const candidate of candidates) {
    drawn[shardOf(candidate.machine, shards)]?.push({
      ...candidate,
      lot: lotOf(candidate.machine, week),
      ageClass: ageClassOf(nowMs - candidate.sinceMs),
    })
  }
  return drawn.map(drawShard)
}

interface Ranked extends Candidate {
  /** A number that the week decides, and the machine only by its key. */
  lot: string
  ageClass: number
}

function drawShard(candidates: Ranked[]): string[] {
  const byLot = candidates.toSorted((a, b) => (a.lot < b.lot ? -1 : 1))
  const byAge = byLot.toSorted((a, b) => b.ageClass - a.ageClass)
  const taken = new Set<string>()
  const ofNetwork = new Map<string, number>()
  const take = (from: readonly Ranked[], upTo: number, perNetwork: number): void => {
    for (const { machine, network } of from) {
      if (taken.size >= upTo) return
      const neighbours = ofNetwork.get(network) ?? 0
      if (taken.has(machine) || neighbours >= perNetwork) continue
      taken.add(machine)
      ofNetwork.set(network, neighbours + 1)
    }
  }
  take(byAge, LONG_LIVED_PLACES, PER_NETWORK)
  take(byLot, PER_SHARD, PER_NETWORK)
  // All of few networks are better than a shard that is half empty.
  take(byAge, PER_SHARD, Number.POSITIVE_INFINITY)
  return [...taken].sort()
}

function lotOf(machine: string, week: number): string {
  return Buffer.from(hash(domainBytes('dharma/list-draw/1', `${week}\n${machine}`))).toString('hex')
}

function ageClassOf(ageMs: number): number {
  if (ageMs < DAY_MS) return 0
  return Math.min(MAX_AGE_CLASS, 1 + Math.floor(Math.log2(ageMs / DAY_MS)))
}

// What the replication core hears and what it has done: its events and effects.
import type { SignedForm } from '../forms/signed-form.ts'
import type { Item } from './item.ts'
import type { Run } from './runs.ts'

/** A record on its way, with the attestations it names, so that a frame can be judged by itself. */
export interface OutgoingRecord {
  item: Item
  /** `encodeRecord`. */
  bytes: Uint8Array
  attestations: readonly SignedForm[]
}

/** A record that is new here, or newer than what was at its address. It is on the disk. */
export interface MergedItem {
  item: Item
  superseded?: Item
  /** The machine it came from; null if it was written here; 'segment' out of a segment. */
  from: string | null
  /** It came to heal a difference. */
  healed: boolean
  /** At hand, so that it need not be read to be pushed. */
  outgoing?: OutgoingRecord
}

/**
 * What became of a record from elsewhere:
 * - `held`: this machine holds it, or a newer one;
 * - `future`: too far ahead of this machine's clock; it is found again once its time has come;
 * - `forged`: no machine that checks what it holds has it, or ever had;
 * - `over-limit`: signed as it must be, but over a limit: a machine with other limits may hold it;
 * - `unavailable`: it could not be judged or written now.
 */
export type RecordStatus = 'held' | 'future' | 'forged' | 'over-limit' | 'unavailable'

/** What happened, without the time of day. */
export type Happening =
  | { type: 'peerOpened'; peer: string }
  | { type: 'peerClosed'; peer: string }
  /** How many other machines there are, as far as this one knows; linked or not. */
  | { type: 'machinesCounted'; count: number }
  | { type: 'received'; peer: string; bytes: Uint8Array }
  | { type: 'merged'; records: readonly MergedItem[] }
  /** Answers `acceptRecords`: one status for each record, in order. */
  | { type: 'accepted'; token: number; statuses: readonly RecordStatus[] }
  /** Answers `readRecords`: for the first items, or all of them; null where none is held any more. */
  | { type: 'recordsRead'; token: number; records: readonly (OutgoingRecord | null)[] }
  /** Answers `sealSegment`; null if it could not be made. */
  | { type: 'segmentSealed'; token: number; key: Uint8Array | null }
  /** Answers `fetchSegment`: all that was in it and holds has been merged, or it failed. */
  | { type: 'segmentFetched'; token: number }
  /** These items turned out not to be held: their record was damaged. */
  | { type: 'lost'; items: readonly Item[] }
  | { type: 'timer'; id: string }

/** `wallMs`: the time of day, for limits of versions; never for waiting. */
export type ReplicationEvent = Happening & { wallMs: number }

export type ReplicationEffect =
  | { type: 'send'; peer: string; bytes: Uint8Array }
  /** To be judged, merged and written; answered by `merged`, for what is new, then `accepted`. */
  | {
      type: 'acceptRecords'
      token: number
      peer: string
      healed: boolean
      attestations: readonly SignedForm[]
      records: readonly Uint8Array[]
    }
  /** No more than `mostBytes`, but at least one. */
  | { type: 'readRecords'; token: number; items: readonly Item[]; mostBytes: number }
  | { type: 'sealSegment'; token: number; run: Run; items: readonly Item[] }
  | { type: 'fetchSegment'; token: number; peer: string; key: Uint8Array; count: number }
  | { type: 'setTimer'; id: string; afterMs: number }
  /** That machine does not keep to the protocol: its link is to be closed. */
  | { type: 'refuse'; peer: string; reason: string }
  /** All within the limits was equal at that time (monotonic). */
  | { type: 'inStep'; peer: string; atMs: number }

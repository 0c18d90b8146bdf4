// What a look-up list holds: a head, in which one of the cloud's keys says that this is a list of the cloud, and
// shards with entries that machines signed themselves. Nothing here trusts the place at which it lies.
import * as z from 'zod'
import { keySchema, timeMsSchema } from '../../contract/values.ts'
import { openGenesis } from '../forms/genesis.ts'
import { readJson } from '../json-text.ts'
import type { Genesis } from '../forms/genesis.ts'
import { openMachineForm } from '../forms/machine-form.ts'
import type { MachineEntry } from '../forms/machine-form.ts'
import { MAX_FORM_CHARS, openForm, signedFormSchema, signForm } from '../forms/signed-form.ts'
import type { SignedForm, VerifySignature } from '../forms/signed-form.ts'
import { openFile, sealFile } from './list-seal.ts'
import type { ListSeal, SealFault } from './list-seal.ts'
import { networkOf, PER_SHARD, SHARD_COUNTS } from './list-sample.ts'
import type { ShardCount } from './list-sample.ts'

const KIND = 'list'

/** A genesis, a form and a number; the largest that both may be, and what JSON adds to them. */
export const MAX_HEAD_BYTES = 128 * 1_024
/** A full shard of ordinary entries has 50 kB; the writer leaves out what does not fit. */
export const MAX_SHARD_BYTES = 128 * 1_024
/** An ordinary entry has 1,500 characters; one that is much larger would take others' places. */
const MAX_LISTED_CHARS = 4_096
/** A machine that was not heard of for so long is not looked for any more. */
export const LISTED_MS = 14 * 24 * 3_600_000
/** How far clocks that nobody set right may be apart. */
const CLOCK_SLACK_MS = 24 * 3_600_000

/** Why a place has no list of this cloud that counts. */
export type ListFault = SealFault | 'forged'

const statementSchema = z.object({
  cloud: keySchema,
  /** One of the keys that may speak for the cloud. */
  signer: keySchema,
  /** Grows with every change; an older one than was seen at a place is a replay. */
  sequence: timeMsSchema,
  /** Where a backup of the cloud's records is, if there is one: an address. */
  backup: z.string().min(1).max(1_000).optional(),
})
export type ListStatement = z.infer<typeof statementSchema>

export interface ListManifest extends ListStatement {
  form: SignedForm
}

const headSchema = z.object({
  /** The text whose hash is the cloud's id, so that whoever knows that alone can check the signature. */
  genesis: z.string().max(MAX_FORM_CHARS),
  manifest: signedFormSchema,
  /** How many shards there are. Not signed: whoever may write here could empty them as well. */
  shards: z.literal(SHARD_COUNTS),
})

export interface ListHead {
  genesis: string
  manifest: ListManifest
  shards: ShardCount
}

const shardSchema = z.object({
  entries: z.array(z.object({ form: signedFormSchema, sinceMs: timeMsSchema })).max(PER_SHARD),
})

/** A machine on a list. */
export interface ListedMachine {
  entry: MachineEntry
  /** Since when it is on the list, by the word of those who wrote it. */
  sinceMs: number
}

export function signListManifest(statement: ListStatement, secretKey: Uint8Array): ListManifest {
  return { ...statement, form: signForm(KIND, statement, secretKey) }
}

/** May this key say which lists are the cloud's? */
function speaksFor({ keys }: Genesis, signer: string): boolean {
  return keys.includes(signer)
}

export function writeHead({ genesis, manifest, shards }: ListHead, seal: ListSeal): Buffer {
  return sealFile(JSON.stringify({ genesis, manifest: manifest.form, shards }), seal)
}

/** The head in a file of at most `MAX_HEAD_BYTES`, or why it does not count. Never throws. */
export function readHead(
  file: Uint8Array,
  cloud: string,
  seal: ListSeal,
  check?: VerifySignature,
): ListHead | { fault: ListFault } {
  const opened = openFile(file, seal)
  if ('fault' in opened) return opened
  const parsed = readJson(opened.text, headSchema)
  if (parsed === null) return { fault: 'garbage' }
  const { genesis: body, manifest: form, shards } = parsed
  const genesis = openGenesis(body, cloud)
  if (genesis === null) return { fault: 'forged' }
  const statement = openForm(form, KIND, statementSchema, 'signer', check)
  if (statement === null || statement.cloud !== cloud || !speaksFor(genesis, statement.signer)) {
    return { fault: 'forged' }
  }
  return { genesis: body, manifest: { ...statement, form }, shards }
}

/** The file of a shard, and the machines that found room in it. */
export function writeShard(
  machines: readonly ListedMachine[],
  seal: ListSeal,
): { file: Buffer; written: ListedMachine[] } {
  const written: ListedMachine[] = []
  const entries: z.infer<typeof shardSchema>['entries'] = []
  let sizeBytes = sealFile(JSON.stringify({ entries }), seal).length
  for (const machine of machines) {
    const entry = { form: machine.entry.form, sinceMs: machine.sinceMs }
    const entryBytes = Buffer.byteLength(JSON.stringify(entry)) + 1
    if (entries.length === PER_SHARD || sizeBytes + entryBytes > MAX_SHARD_BYTES) continue
    sizeBytes += entryBytes
    entries.push(entry)
    written.push(machine)
  }
  return { file: sealFile(JSON.stringify({ entries }), seal), written }
}

/**
 * The machines in a shard of at most `MAX_SHARD_BYTES` whose entries hold and count at this time of day; what is
 * forged or expired beside them is passed over. Never throws.
 */
export function readShard(
  file: Uint8Array,
  cloud: string,
  seal: ListSeal,
  nowMs: number,
  check?: VerifySignature,
): ListedMachine[] | { fault: ListFault } {
  const opened = openFile(file, seal)
  if ('fault' in opened) return opened
  const parsed = readJson(opened.text, shardSchema)
  if (parsed === null) return { fault: 'garbage' }
  return parsed.entries.flatMap(({ form, sinceMs }) => {
    const entry = openMachineForm(form, cloud, check)
    if (entry === null || !isListable(entry, nowMs)) return []
    return [{ entry, sinceMs: Math.min(sinceMs, nowMs) }]
  })
}

/** May a list name this machine now, and is that of any use? */
export function isListable(entry: MachineEntry, nowMs: number): boolean {
  const { addresses = [], listedUntilMs, form } = entry
  if (listedUntilMs === undefined || addresses.length === 0) return false
  // Who dates itself into the future would stay for ever.
  const isTimely = listedUntilMs > nowMs && listedUntilMs <= nowMs + LISTED_MS + CLOCK_SLACK_MS
  return isTimely && form.body.length <= MAX_LISTED_CHARS
}

/** Of each machine the newest entry that counts, and since when it has been on the list. */
export function mergeListed(
  sources: Iterable<readonly ListedMachine[]>,
  nowMs: number,
): Map<string, ListedMachine> {
  const merged = new Map<string, ListedMachine>()
  for (const source of sources) {
    for (const { entry, sinceMs } of source) {
      if (!isListable(entry, nowMs)) continue
      const other = merged.get(entry.machine)
      const isNewer = other === undefined || other.entry.sequence < entry.sequence
      merged.set(entry.machine, {
        entry: isNewer ? entry : other.entry,
        sinceMs: Math.min(sinceMs, other?.sinceMs ?? sinceMs),
      })
    }
  }
  return merged
}

/** An entry that holds for so long yet need not be written again: public places are written to seldom. */
const FRESH_MS = 10 * 24 * 3_600_000

/** Is what would be written so much better than what is there that it is worth a write? */
export function isWorthWriting(
  before: ReadonlyMap<string, ListedMachine>,
  after: Iterable<ListedMachine>,
  nowMs: number,
): boolean {
  for (const { entry } of after) {
    const there = before.get(entry.machine)?.entry
    if (there === undefined) return true
    if (there.sequence >= entry.sequence) continue
    if (JSON.stringify(there.addresses) !== JSON.stringify(entry.addresses)) return true
    if ((there.listedUntilMs ?? 0) - nowMs < FRESH_MS) return true
  }
  return false
}

/** As the draw sees a machine. */
export function candidateOf({ entry, sinceMs }: ListedMachine): {
  machine: string
  network: string
  sinceMs: number
} {
  return { machine: entry.machine, network: networkOf(entry.addresses ?? []), sinceMs }
}

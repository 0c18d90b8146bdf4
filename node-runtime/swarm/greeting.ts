// The first and only frame that a stranger's connection may send: what the machine says of itself, and what lets
// it into the cloud, sealed by the cloud's id for this very connection. Both sides greet at once, so a stranger is
// greeted, too: it learns nothing by that, least of all the id, which lets in.
import * as z from 'zod'
import { passSchema } from '../core/admission/pass.ts'
import type { Pass } from '../core/admission/pass.ts'
import { openGenesis } from '../core/forms/genesis.ts'
import { openMachineForm } from '../core/forms/machine-form.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { MAX_FORM_CHARS, signedFormSchema } from '../core/forms/signed-form.ts'
import { timeMsSchema } from '../contract/values.ts'
import {
  domainBytes,
  encodeKey,
  hash,
  seal,
  SEAL_NONCE_BYTES,
  toHex,
  unseal,
} from '../core/keys.ts'
import { jsonCodec } from './codec.ts'

/**
 * The largest entry and the largest genesis, escaped, or ordinary ones with the longest pass. Nothing longer is even received from somebody
 * who has not greeted.
 */
export const MAX_GREETING_BYTES = 65_536
/** What the seal adds to it: a nonce, and what proves who sealed. */
const SEAL_BYTES = SEAL_NONCE_BYTES + 16
const MAX_TEXT_BYTES = MAX_GREETING_BYTES - SEAL_BYTES

const greetingSchema = z.object({
  /** Later versions add fields, which are passed over here. */
  kind: z.literal('dharma/greeting/3'),
  entry: signedFormSchema,
  /** The text whose hash is the cloud's id, if the machine has it. */
  genesis: z.string().max(MAX_FORM_CHARS).nullable(),
  /** None in greetings of before; one of a kind of a later version is none here. */
  pass: passSchema.nullable().catch(null),
  /** What time the machine takes it to be. Machines of before say nothing. */
  timeMs: timeMsSchema.nullable().catch(null),
})
type Greeting = z.infer<typeof greetingSchema>

const greetingCodec = jsonCodec(greetingSchema, MAX_TEXT_BYTES)

/** What both sides of a link can do. */
export interface Agreement {
  /** The lesser of both versions. */
  version: number
  capabilities: string[]
}

/** Who is at the other end. */
export interface Greeted {
  entry: MachineEntry
  /** The cloud's genesis, checked against its id. */
  genesis: string | null
  /** As it was shown: whether it lets in is not looked at here. */
  pass: Pass | null
  /** By its clock, ms since 1970; null if it does not say. */
  timeMs: number | null
}

interface Ends {
  handshakeHash: Uint8Array
  /** Of the side that greets. */
  publicKey: Uint8Array
  cloud: string
  /** The cloud's id, as bytes. */
  cloudKey: Uint8Array
}

/** Only who knows the cloud's id can make it: to seal with it is to prove that, on one connection, as one machine. */
function sealOf({ handshakeHash, publicKey, cloudKey }: Ends): Uint8Array {
  const ends = `${toHex(handshakeHash)}\n${encodeKey(publicKey)}`
  return hash(domainBytes('dharma/greeting-seal/1', ends), cloudKey)
}

/** The frame in which a greeting travels. */
export function sealGreeting(ends: Ends, text: Uint8Array): Uint8Array {
  const nonce = globalThis.crypto.getRandomValues(new Uint8Array(SEAL_NONCE_BYTES))
  return seal(text, nonce, sealOf(ends))
}

/**
 * A greeting that fits. Whoever began the cloud may have made its genesis so long that it leaves no room for
 * what lets the machine in; then it is left out.
 */
export function writeGreeting(ends: Ends, { entry, genesis, pass, timeMs }: Greeted): Uint8Array {
  const greeting = { kind: 'dharma/greeting/3', entry: entry.form, pass, timeMs } as const
  const whole: Greeting = { ...greeting, genesis }
  const sizeBytes = Buffer.byteLength(JSON.stringify(whole), 'utf8')
  const fitting = sizeBytes > MAX_TEXT_BYTES ? { ...greeting, genesis: null } : whole
  return sealGreeting(ends, greetingCodec.encode(fitting))
}

/**
 * Who greets, or in words why it is not let in. Never throws. Signatures are looked at last, so that
 * a stranger costs one hash and a check of the seal.
 */
export function readGreeting(bytes: Uint8Array, ends: Ends): Greeted | string {
  if (bytes.length > MAX_GREETING_BYTES) return 'its greeting is not understood'
  const text = unseal(bytes, sealOf(ends))
  if (text === null) return 'it does not know the key of this cloud'
  const greeting = greetingCodec.decode(text)
  if (greeting === null) return 'its greeting is not understood'
  const { genesis, pass, timeMs } = greeting
  if (genesis !== null && openGenesis(genesis, ends.cloud) === null) {
    return 'it names another beginning of this cloud'
  }
  const entry = openMachineForm(greeting.entry, ends.cloud)
  if (entry === null) return 'its description of itself is forged'
  if (entry.machine !== encodeKey(ends.publicKey)) return 'it speaks for another machine'
  return { entry, genesis, pass, timeMs }
}

/** One word, for it is shown to a person. */
const REFUSAL_WORD = /^[A-Z][A-Z_]{0,39}$/

const refusalSchema = z.object({
  kind: z.literal('dharma/refusal/1'),
  fault: z.string().regex(REFUSAL_WORD),
})

/** The only answer that a machine gets that knows the cloud and may not come in. */
export const refusalCodec = jsonCodec(refusalSchema, 200)

/** What two machines of whatever age have in common. */
export function agree(a: MachineEntry['protocol'], b: MachineEntry['protocol']): Agreement {
  const common = new Set(b.capabilities)
  return {
    version: Math.min(a.version, b.version),
    capabilities: a.capabilities.filter((capability) => common.has(capability)),
  }
}

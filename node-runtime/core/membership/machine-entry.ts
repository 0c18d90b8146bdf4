// What a machine says of itself to the cloud: signed by the machine, which a person attests. Anyone
// can pass it on, nobody can change it.
import * as z from 'zod'
import { keySchema, signatureSchema, timeMsSchema } from '../../contract/values.ts'
import { canonicalJson } from '../canonical.ts'
import { decodeKey, domainBytes, fromHex, sign, toHex, verify } from '../keys.ts'

const ENTRY_DOMAIN = 'dharma/machine-entry/1'
const ATTESTATION_DOMAIN = 'dharma/attestation/1'

const statementSchema = z.object({
  cloud: keySchema,
  machine: keySchema,
  person: keySchema,
  /** The person's signature over the machine's key. */
  attestation: signatureSchema,
  name: z.string().min(1).max(60),
  kind: z.enum(['desktop', 'headless']),
  appVersion: z.string().max(40),
  /** The machine's log of database records. */
  dbLog: keySchema,
  /** Grows with every change; the newest entry of a machine counts. */
  sequence: timeMsSchema,
})
export type MachineStatement = z.infer<typeof statementSchema>

export const machineEntrySchema = statementSchema.extend({ signature: signatureSchema })
export type MachineEntry = z.infer<typeof machineEntrySchema>

function entryBytes(statement: MachineStatement): Uint8Array {
  return domainBytes(ENTRY_DOMAIN, canonicalJson(statement))
}

/** The person's word that this machine is theirs. Hex. */
export function attestMachine(machine: string, personSecretKey: Uint8Array): string {
  return toHex(sign(domainBytes(ATTESTATION_DOMAIN, machine), personSecretKey))
}

export function signEntry(statement: MachineStatement, machineSecretKey: Uint8Array): MachineEntry {
  return { ...statement, signature: toHex(sign(entryBytes(statement), machineSecretKey)) }
}

/** Was this entry made by that machine, for this cloud, and is the machine the person's? */
export function isGenuineEntry(entry: MachineEntry, cloud: string): boolean {
  const { signature, ...statement } = entry
  const machineKey = decodeKey(entry.machine)
  const personKey = decodeKey(entry.person)
  if (machineKey === null || personKey === null || entry.cloud !== cloud) return false
  return (
    verify(entryBytes(statement), fromHex(signature), machineKey) &&
    verify(domainBytes(ATTESTATION_DOMAIN, entry.machine), fromHex(entry.attestation), personKey)
  )
}

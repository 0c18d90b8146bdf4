// The persons of a simulated cloud, and the records they write: real keys, real signatures.
import { encodeRecord, signRecord } from '../core/db/signed-record.ts'
import { signAttestation } from '../core/forms/attestation.ts'
import type { Attestation } from '../core/forms/attestation.ts'
import { encodeKey, hash, keyPair } from '../core/keys.ts'
import type { JudgedRecord, SharedVerifier } from './verifier.ts'

export const CLOUD = encodeKey(hash(Buffer.from('a simulated cloud')))
const SYSTEM = encodeKey(hash(Buffer.from('a simulated system')))
/** Attestations of simulated clouds hold for ever. */
const NEVER_MS = 2 ** 46

function seedOf(text: string): Uint8Array {
  return hash(Buffer.from(text))
}

export interface Writing {
  id: string
  version: string
  /** Left out when it is deleted. */
  value?: string
}

/** One machine's signature under records of one person. */
export class Author {
  readonly attestation: Attestation
  readonly #person: string
  readonly #secretKey: Uint8Array

  /** The same person on two machines writes to the same addresses. */
  constructor(person: number, machine: number) {
    const personKeys = keyPair(seedOf(`person ${person}`))
    const machineKeys = keyPair(seedOf(`machine ${machine}`))
    this.#person = encodeKey(personKeys.publicKey)
    this.#secretKey = machineKeys.secretKey
    this.attestation = signAttestation(
      {
        person: this.#person,
        machine: encodeKey(machineKeys.publicKey),
        cloud: CLOUD,
        sequence: 1,
        expiresMs: NEVER_MS,
      },
      personKeys.secretKey,
    )
  }

  /** A signed record, as an envelope. */
  sign({ id, version, value }: Writing): Uint8Array {
    const record = signRecord(
      {
        system: SYSTEM,
        collection: 'notes',
        author: this.#person,
        id,
        version,
        rule: 'author',
        scope: 'set',
        partition: null,
        schema: null,
        value: value ?? null,
        ...(value === undefined ? { deleted: true as const } : {}),
      },
      { cloud: CLOUD, attestation: this.attestation, machineSecretKey: this.#secretKey },
    )
    return encodeRecord(record)
  }

  write(writing: Writing, verifier: SharedVerifier): JudgedRecord {
    verifier.open(this.attestation.form)
    const judged = verifier.judge(this.sign(writing))
    if (judged === null) throw new Error('a record of our own is none')
    return judged
  }
}

const authors = new Map<string, Author>()

/** Keys take time to make: the same person on the same machine is the same in all seeds. */
export function authorOf(person: number, machine: number): Author {
  const name = `${person} ${machine}`
  let author = authors.get(name)
  if (author === undefined) {
    author = new Author(person, machine)
    authors.set(name, author)
  }
  return author
}

// The keys of this machine and of the person it belongs to, in one file of the data folder.
import { pbkdf2Sync } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { generateMnemonic, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import { displayNameSchema, timeMsSchema } from '../../contract/values.ts'
import { domainBytes, encodeKey, fromHex, hash, keyPair, toHex } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { signAttestation } from '../../core/forms/attestation.ts'
import type { Attestation } from '../../core/forms/attestation.ts'
import { nameFromKey } from '../../core/names.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import { newSeed } from '../../store/new-keys.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'

const PHRASE_STRENGTH_BITS = 256
const PHRASE_WORDS = 24
const PERSON_DOMAIN = 'dharma/person/1'
/**
 * How long a machine may write in the person's name. Long, because renewing needs the phrase, which
 * the person may have put away; a lost machine is revoked, not waited out.
 */
const ATTESTATION_MS = 10 * 365 * 24 * 3_600_000

const fileSchema = z.object({
  phrase: z.string(),
  machineSeed: z.string().regex(/^[0-9a-f]{64}$/),
  personName: displayNameSchema.nullable(),
  machineName: displayNameSchema.nullable(),
  /** When the person attested this machine, ms since 1970. Folders of 0.1 have none. */
  attestedMs: timeMsSchema.default(0),
})
type IdentityFile = z.infer<typeof fileSchema>

/**
 * A person's key pair. Source of the seed: BIP-39, no passphrase. Node's own PBKDF2 takes a twentieth
 * of the time of one in JavaScript, which would be felt at every start.
 */
function personKeyPair(phrase: string): KeyPair {
  const seed = pbkdf2Sync(phrase.normalize('NFKD'), 'mnemonic', 2048, 64, 'sha512')
  return keyPair(hash(domainBytes(PERSON_DOMAIN, toHex(seed))))
}

/**
 * The words as they are kept.
 * @throws CloudError IDENTITY_PHRASE_INVALID, which never repeats a word: they are secret
 */
function readPhrase(text: string): string {
  const words = text.trim().toLowerCase().split(/\s+/)
  const phrase = words.join(' ')
  if (validateMnemonic(phrase, wordlist)) return phrase
  throw new CloudError('IDENTITY_PHRASE_INVALID', faultOfPhrase(words), { words: words.length })
}

function faultOfPhrase(words: readonly string[]): string {
  if (words.length !== PHRASE_WORDS) {
    return `A recovery phrase has ${PHRASE_WORDS} words; this has ${words.length}.`
  }
  const unknown = words.findIndex((word) => !wordlist.includes(word))
  return unknown === -1
    ? 'These words do not belong together: one is wrong, or their order is.'
    : `Word ${unknown + 1} is none that a recovery phrase is made of. Check its spelling.`
}

/**
 * Whose phrase this is, by the key.
 * @throws CloudError IDENTITY_PHRASE_INVALID
 */
export function personOf(phrase: string): string {
  return encodeKey(personKeyPair(readPhrase(phrase)).publicKey)
}

interface OpenOptions {
  /**
   * The folder is a copy of one that may live on elsewhere: the person stays, the machine gets a key of
   * its own, for two that sign as one machine would contradict each other.
   */
  copied?: boolean
  /** Told when the file was damaged or gone and the one before was taken, with words for the person. */
  onFallback?: (words: string) => void
}

export class Identity extends EventEmitter<{ changed: [] }> {
  readonly #path: string
  #file: IdentityFile
  #personKeys: KeyPair
  readonly machineKeys: KeyPair
  /** Not undefined if there was none when this was opened: the person that was begun then. */
  readonly #begun: string | undefined
  readonly #updates = new SerialQueue()
  readonly #attestations = new Map<string, Attestation>()

  private constructor(path: string, file: IdentityFile, begins = false) {
    super()
    this.setMaxListeners(0)
    this.#path = path
    this.#file = file
    this.#personKeys = personKeyPair(file.phrase)
    this.machineKeys = keyPair(fromHex(file.machineSeed))
    if (begins) this.#begun = this.person
  }

  /**
   * Opens the identity of a data folder, or makes a new one. In place of a file that is damaged or gone
   * the one before is taken; since that may be of another machine, the machine gets a new key.
   * @throws CloudError DATA_DAMAGED
   */
  static async open(
    dataDir: string,
    { copied = false, onFallback }: OpenOptions = {},
  ): Promise<Identity> {
    const path = join(dataDir, 'identity.json')
    const fallbacks: string[] = []
    const known = await readJsonFile(path, fileSchema, {
      evenIfGone: true,
      onFallback: (words) => fallbacks.push(words),
    })
    const attestedMs = Date.now()
    const machineSeed = toHex(newSeed())
    let file: IdentityFile
    if (known === null) {
      const phrase = generateMnemonic(wordlist, PHRASE_STRENGTH_BITS)
      file = { phrase, machineSeed, personName: null, machineName: null, attestedMs }
    } else if (copied) file = { ...known, machineSeed, machineName: null, attestedMs }
    else if (fallbacks.length > 0) file = { ...known, machineSeed, attestedMs }
    else if (known.attestedMs === 0) file = { ...known, attestedMs }
    else return new Identity(path, known)
    await writeJsonFile(path, file)
    for (const words of fallbacks) onFallback?.(words)
    return new Identity(path, file, known === null)
  }

  /** Was this person begun when the folder was opened, because it had no identity? */
  get isBegun(): boolean {
    return this.person === this.#begun
  }

  get machine(): string {
    return encodeKey(this.machineKeys.publicKey)
  }

  get person(): string {
    return encodeKey(this.#personKeys.publicKey)
  }

  get personSecretKey(): Uint8Array {
    return this.#personKeys.secretKey
  }

  get personName(): string {
    return this.#file.personName ?? nameFromKey(this.person)
  }

  get machineName(): string {
    return this.#file.machineName ?? nameFromKey(this.machine)
  }

  get recoveryPhrase(): string {
    return this.#file.phrase
  }

  /** The person's word that this machine writes in their name in a cloud. The same until either changes. */
  attestationFor(cloud: string): Attestation {
    let attestation = this.#attestations.get(cloud)
    if (attestation === undefined) {
      const { attestedMs } = this.#file
      attestation = signAttestation(
        {
          person: this.person,
          machine: this.machine,
          cloud,
          sequence: attestedMs,
          expiresMs: attestedMs + ATTESTATION_MS,
        },
        this.#personKeys.secretKey,
      )
      this.#attestations.set(cloud, attestation)
    }
    return attestation
  }

  renamePerson(name: string): Promise<void> {
    return this.#update({ personName: name })
  }

  renameMachine(name: string): Promise<void> {
    return this.#update({ machineName: name })
  }

  /**
   * Makes this machine the phrase's person's.
   * @throws CloudError IDENTITY_PHRASE_INVALID
   */
  async restore(phrase: string): Promise<void> {
    await this.#update({ phrase: readPhrase(phrase), attestedMs: Date.now() })
  }

  /** One after the other, each from what the one before it left: none is lost. */
  #update(change: Partial<IdentityFile>): Promise<void> {
    return this.#updates.run(async () => {
      const file = { ...this.#file, ...change }
      await writeJsonFile(this.#path, file)
      this.#file = file
      this.#personKeys = personKeyPair(file.phrase)
      this.#attestations.clear()
      this.emit('changed')
    })
  }
}

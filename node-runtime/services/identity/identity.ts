// The keys of this machine and of the person it belongs to, in one file of the data folder.
import { pbkdf2Sync } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { generateMnemonic, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import * as z from 'zod'
import { CloudError } from '../../contract/errors.ts'
import { displayNameSchema } from '../../contract/identity.ts'
import { domainBytes, encodeKey, fromHex, hash, keyPair, sign, toHex } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { attestMachine } from '../../core/membership/machine-entry.ts'
import { nameFromKey } from '../../core/names.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'

const PHRASE_STRENGTH_BITS = 256
const PERSON_DOMAIN = 'dharma/person/1'

const fileSchema = z.object({
  phrase: z.string(),
  machineSeed: z.string().regex(/^[0-9a-f]{64}$/),
  personName: displayNameSchema.nullable(),
  machineName: displayNameSchema.nullable(),
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

export class Identity extends EventEmitter<{ changed: [] }> {
  readonly #path: string
  #file: IdentityFile
  #personKeys: KeyPair
  readonly machineKeys: KeyPair

  private constructor(path: string, file: IdentityFile) {
    super()
    this.setMaxListeners(0)
    this.#path = path
    this.#file = file
    this.#personKeys = personKeyPair(file.phrase)
    this.machineKeys = keyPair(fromHex(file.machineSeed))
  }

  /** Opens the identity of a data folder, or makes a new one. */
  static async open(dataDir: string): Promise<Identity> {
    const path = join(dataDir, 'identity.json')
    const known = await readJsonFile(path, fileSchema)
    if (known !== null) return new Identity(path, known)
    const file: IdentityFile = {
      phrase: generateMnemonic(wordlist, PHRASE_STRENGTH_BITS),
      machineSeed: toHex(globalThis.crypto.getRandomValues(new Uint8Array(32))),
      personName: null,
      machineName: null,
    }
    await writeJsonFile(path, file)
    return new Identity(path, file)
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

  /** The person's word that this machine is theirs. */
  get attestation(): string {
    return attestMachine(this.machine, this.#personKeys.secretKey)
  }

  /** Signs bytes as the person. Hex. */
  signAsPerson(bytes: Uint8Array): string {
    return toHex(sign(bytes, this.#personKeys.secretKey))
  }

  renamePerson(name: string): Promise<void> {
    return this.#update({ ...this.#file, personName: name })
  }

  renameMachine(name: string): Promise<void> {
    return this.#update({ ...this.#file, machineName: name })
  }

  /**
   * Makes this machine the phrase's person's.
   * @throws CloudError IDENTITY_PHRASE_INVALID
   */
  async restore(phrase: string): Promise<void> {
    const words = phrase.trim().toLowerCase().split(/\s+/).join(' ')
    if (!validateMnemonic(words, wordlist)) {
      throw new CloudError(
        'IDENTITY_PHRASE_INVALID',
        'These words are not a recovery phrase. Check the spelling and the order of all 24 words.',
        { words: words.split(' ').length },
      )
    }
    await this.#update({ ...this.#file, phrase: words })
  }

  async #update(file: IdentityFile): Promise<void> {
    await writeJsonFile(this.#path, file)
    this.#file = file
    this.#personKeys = personKeyPair(file.phrase)
    this.emit('changed')
  }
}

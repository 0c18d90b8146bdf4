// The key with which an author signs systems: one small file that never leaves the author's machine.
import * as z from 'zod'
import { keySchema } from '../../contract/values.ts'
import { encodeKey, fromHex, keyPair, toHex } from '../../core/keys.ts'
import { newKeyPair } from '../../store/new-keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'

const SEED_BYTES = 32

const fileSchema = z
  .object({
    publisherKeyVersion: z.literal(1),
    publicKey: keySchema,
    /** Hex. Who knows it can publish in the author's name. */
    seed: z.string().regex(/^[0-9a-f]{64}$/, 'not a seed (32 bytes hex)'),
  })
  .refine(
    ({ publicKey, seed }) => encodeKey(keyPair(fromHex(seed)).publicKey) === publicKey,
    'the two keys do not belong together',
  )

/**
 * The key in this file; a new one, in a new file that only its owner can read, if there is none.
 * @throws CloudError DATA_DAMAGED
 */
export async function openPublisherKey(path: string): Promise<{ keys: KeyPair; isNew: boolean }> {
  const held = await readJsonFile(path, fileSchema)
  if (held !== null) return { keys: keyPair(fromHex(held.seed)), isNew: false }
  const keys = newKeyPair()
  // An ed25519 secret key is its seed with the public key behind it.
  const seed = toHex(keys.secretKey.slice(0, SEED_BYTES))
  const publicKey = encodeKey(keys.publicKey)
  await writeJsonFile(path, { publisherKeyVersion: 1, publicKey, seed })
  return { keys, isNew: true }
}

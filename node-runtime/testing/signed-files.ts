// The files of a system, signed by a publisher of the tests.
import type { KeyPair } from '../core/keys.ts'
import { contentHash } from '../core/systems/content-hash.ts'
import { openSignature, SIGNATURE_PATH, signSystem } from '../core/systems/signature.ts'
import type { SystemSignature } from '../core/systems/signature.ts'

function idIn(files: Record<string, string>): string {
  return (JSON.parse(files['dharma.json'] ?? '{}') as { id: string }).id
}

/** The files with their signature. `before` is the signature to go on from. */
export function signFiles(
  files: Record<string, string>,
  keys: KeyPair,
  before?: SystemSignature,
): Record<string, string> {
  const bytes = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]))
  const content = { id: idIn(files), contentHash: contentHash(bytes, SIGNATURE_PATH) }
  return { ...files, [SIGNATURE_PATH]: JSON.stringify(signSystem(content, keys, before)) }
}

/** The signature among signed files, opened. */
export function signatureIn(files: Record<string, string>): SystemSignature {
  const signature = openSignature(Buffer.from(files[SIGNATURE_PATH] ?? ''))
  if (signature === null) throw new Error('the files have no valid signature')
  return signature
}

// What stands for all files of a repository in its publisher's signature.
import { canonicalJson } from '../canonical.ts'
import { domainBytes, hash, toHex } from '../keys.ts'

/**
 * BLAKE2b over the hashes of the files, by path, in canonical JSON; hex.
 * @param left  the path of a file that is left out: the one that holds the signature
 */
export function contentHash(files: ReadonlyMap<string, Uint8Array>, left: string): string {
  const hashes = [...files]
    .filter(([path]) => path !== left)
    .map(([path, bytes]): [string, string] => [path, toHex(hash(bytes))])
  return toHex(hash(domainBytes('dharma/content/1', canonicalJson(Object.fromEntries(hashes)))))
}

import { hash } from '../core/keys.ts'

const HYPERCORE = Buffer.from('hypercore')

/**
 * The name under which two machines that both know a core's key find it on a link, without telling
 * the key. Source: Hypercore, `discoveryKey` of hypercore-crypto.
 */
export function discoveryKeyOf(coreKey: Uint8Array): Uint8Array {
  return hash(HYPERCORE, coreKey)
}

// Invitations: a secret that whoever invites gives to whom they invite, as a link or as a few words, and where the
// two machines meet by it. Nothing of it is signed: the admission that comes of it is.
import z32 from 'z32'
import type { MachineAddress } from '../finding/dial-list.ts'
import { domainBytes, hash, keyPair, toHex } from '../keys.ts'
import type { KeyPair } from '../keys.ts'

export const SEED_BYTES = 16
const FORM = 1
const CHECKSUM_BYTES = 2
const ADDRESS_BYTES = 6
/** Where the inviting machine may be found. */
const MAX_ADDRESSES = 3

/** What a link holds. */
export interface InvitationSecret {
  seed: Uint8Array
  addresses: readonly MachineAddress[]
}

/** The part of a link behind `invite/`: the form, the seed, IPv4 addresses, and a checksum, in z-base-32. */
export function encodeInvitation({ seed, addresses }: InvitationSecret): string {
  const hints = addresses.slice(0, MAX_ADDRESSES).map(({ host, port }) => {
    const bytes = Buffer.alloc(ADDRESS_BYTES)
    bytes.set(host.split('.').map(Number))
    bytes.writeUInt16BE(port, 4)
    return bytes
  })
  const content = Buffer.concat([Buffer.of(FORM), seed, ...hints])
  return z32.encode(Buffer.concat([content, checksumOf(content)]))
}

/** Null if it is not all there, or has a wrong letter, or is of a later version. */
export function decodeInvitation(text: string): InvitationSecret | null {
  if (text.length > 80 || !/^[ybndrfg8ejkmcpqxot1uwisza345h769]+$/.test(text)) return null
  const bytes = Buffer.from(z32.decode(text))
  for (let count = 0; count <= MAX_ADDRESSES; count++) {
    const length = 1 + SEED_BYTES + count * ADDRESS_BYTES
    const whole = bytes.subarray(0, length + CHECKSUM_BYTES)
    // z-base-32 may bring back a byte more than was written.
    if (z32.encode(whole) !== text) continue
    const content = whole.subarray(0, length)
    if (content[0] !== FORM || !checksumOf(content).equals(whole.subarray(length))) return null
    const addresses = Array.from({ length: count }, (_, at) => {
      const hint = content.subarray(1 + SEED_BYTES + at * ADDRESS_BYTES)
      return { host: [...hint.subarray(0, 4)].join('.'), port: hint.readUInt16BE(4) }
    })
    return {
      seed: new Uint8Array(content.subarray(1, 1 + SEED_BYTES)),
      addresses: addresses.filter(({ port }) => port > 0),
    }
  }
  return null
}

/** The key under which the inviting machine is found in the DHT as long as the invitation holds. */
export function meetingKeys(seed: Uint8Array): KeyPair {
  return keyPair(hash(domainBytes('dharma/meeting/1', toHex(seed))))
}

/**
 * Knowing the invitation, bound to one connection and to who shows it. Nodes of the DHT see the meeting's
 * public key; this they can't make. Hex.
 */
export function proveInvitation(
  seed: Uint8Array,
  { handshakeHash, machine }: { handshakeHash: Uint8Array; machine: string },
): string {
  const key = hash(domainBytes('dharma/meeting-proof/1', toHex(seed)))
  return toHex(hash(Buffer.from(`${toHex(handshakeHash)}\n${machine}`), key))
}

function checksumOf(content: Uint8Array): Buffer {
  return Buffer.from(hash(content).subarray(0, CHECKSUM_BYTES))
}

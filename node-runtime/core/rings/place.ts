// Where a machine stands on the rings. A machine can't name its place: it follows from its key and from what let
// it into the cloud, and whoever has its entry computes the same. What it can do is try many keys, or do the
// work many times over; `docs/security.md` says what that buys.
import * as z from 'zod'
import { isWork } from '../admission/work.ts'
import { domainBytes, hash, toHex } from '../keys.ts'

/** As many as make two machines' neighbours differ, and a cloud that loses half of them stay in one piece. */
export const RINGS = 4

/**
 * What an entry says for its machine's place. `work`: the nonce that the cloud's door asks for. Later versions
 * know more kinds, such as the inviter's ECVRF; who does not know a kind does not see that machine on the rings.
 */
export const placeProofSchema = z.object({
  kind: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  proof: z.string().max(1_024),
})
export type PlaceProof = z.infer<typeof placeProofSchema>

export interface Placed {
  cloud: string
  machine: string
  place?: PlaceProof | undefined
}

/**
 * The place of a machine in its cloud, as hex; null if its entry does not show one.
 * @param workBits  what a cloud that is open to all asks for; null in clouds of other kinds, where the place
 *   follows from the key alone
 */
export function placeOf({ cloud, machine, place }: Placed, workBits: number | null): string | null {
  if (workBits === null) return digest(cloud, machine, '')
  if (place?.kind !== 'work') return null
  const holds = isWork({ cloud, machine, bits: workBits }, place.proof)
  return holds ? digest(cloud, machine, place.proof) : null
}

/** Where a place is on each ring: 0 to 1, once around. */
export function positionsOf(place: string): number[] {
  return Array.from({ length: RINGS }, (_, ring) => {
    const bytes = hash(domainBytes('dharma/ring/1', `${place}\n${ring}`))
    return Buffer.from(bytes).readUIntBE(0, 6) / 2 ** 48
  })
}

function digest(cloud: string, machine: string, proof: string): string {
  return toHex(hash(domainBytes('dharma/place/1', `${cloud}\n${machine}\n${proof}`)))
}

// How an invitation stands now, in words.
import type { GivenInvitation } from '../../../node-runtime/contract/cloud.ts'

/** As of `nowMs`: one that was open when the machine last said so may have expired since. */
export function stateNow(
  { state, expiresMs }: GivenInvitation,
  nowMs: number,
): GivenInvitation['state'] {
  return state === 'open' && nowMs >= expiresMs ? 'expired' : state
}

/** Why nobody comes in by it any more. */
export const OVER: Record<Exclude<GivenInvitation['state'], 'open'>, string> = {
  'used-up': 'It was used as often as it may be.',
  expired: 'It has expired.',
  withdrawn: 'It was withdrawn.',
}

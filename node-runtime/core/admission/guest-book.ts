// The invitations that a machine gave out: how often each was used and by whom, and whether it still holds.
// Whoever was let in by one may ask again, and is not counted twice.

export const MAX_INVITATIONS = 64

export interface Invitation {
  id: string
  /** Hex; see `invitation.ts`. */
  seed: string
  /** The words of its code. */
  code: string
  uses: number
  /** Ms since 1970. */
  createdMs: number
  expiresMs: number
  withdrawn: boolean
  /** It was found to have expired: a clock that is set back revives nothing. */
  expired: boolean
  /** Persons that were let in by it. */
  admitted: string[]
}

export type InvitationState = 'open' | 'used-up' | 'expired' | 'withdrawn'

export function stateOf(invitation: Invitation, nowMs: number): InvitationState {
  if (invitation.withdrawn) return 'withdrawn'
  if (invitation.admitted.length >= invitation.uses) return 'used-up'
  return invitation.expired || nowMs >= invitation.expiresMs ? 'expired' : 'open'
}

/** The book in which it is noted what has expired by now; null if nothing is new of that. */
export function withExpired(book: readonly Invitation[], nowMs: number): Invitation[] | null {
  const isNew = ({ expired, expiresMs }: Invitation): boolean => !expired && nowMs >= expiresMs
  if (!book.some(isNew)) return null
  return book.map((one) => (isNew(one) ? { ...one, expired: true } : one))
}

/** What a use of it changes, or why it does not let this person in. */
export function useInvitation(
  invitation: Invitation,
  person: string,
  nowMs: number,
): { invitation: Invitation } | { fault: Exclude<InvitationState, 'open'> } {
  const state = stateOf(invitation, nowMs)
  const isAgain = invitation.admitted.includes(person)
  if (isAgain && (state === 'open' || state === 'used-up')) return { invitation }
  if (state !== 'open') return { fault: state }
  return { invitation: { ...invitation, admitted: [...invitation.admitted, person] } }
}

/**
 * The book with one more invitation. Those that no longer hold make room, the oldest first; null if all that
 * are in it do.
 */
export function withInvitation(
  book: readonly Invitation[],
  invitation: Invitation,
  nowMs: number,
): Invitation[] | null {
  if (book.length < MAX_INVITATIONS) return [...book, invitation]
  const oldest = book.find((one) => stateOf(one, nowMs) !== 'open')
  if (oldest === undefined) return null
  return [...book.filter((one) => one !== oldest), invitation]
}

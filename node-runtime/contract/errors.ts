// The one error class of Dharma, and every code it can carry. Code, message and details cross every border.

/** What a code means to the caller: may it retry, was it refused, is it its own mistake, or ours? */
export type ErrorKind = 'caller' | 'refused' | 'expected' | 'environment' | 'internal'

/** Every error code, sorted by meaning. A code, once published, is never renamed. */
export const ERROR_KINDS = {
  // The caller's mistake.
  BAD_INPUT: 'caller',
  UNKNOWN_CALL: 'caller',
  CALL_TOO_LARGE: 'caller',
  // Refused.
  FORBIDDEN: 'refused',
  UNAUTHENTICATED: 'refused',
  CORE_REFUSED: 'refused',
  // The surroundings; trying again may help.
  TIMEOUT: 'environment',
  CANCELLED: 'environment',
  TOO_BUSY: 'environment',
  UNAVAILABLE: 'environment',
  PEER_UNREACHABLE: 'environment',
  NO_MACHINE: 'environment',
  FOLDER_IN_USE: 'environment',
  FOLDER_UNUSABLE: 'environment',
  PORT_IN_USE: 'environment',
  DATA_DAMAGED: 'environment',
  DATA_TOO_NEW: 'environment',
  DISK_FULL: 'environment',
  DISK_FAILED: 'environment',
  MACHINE_TWICE: 'environment',
  CLOCK_OFF: 'environment',
  // Ours; the stack stays in the runtime's log.
  INTERNAL: 'internal',
  // identity
  IDENTITY_PHRASE_INVALID: 'expected',
  // It is of another person than is meant.
  IDENTITY_PHRASE_OTHER: 'expected',
  // It is not on this machine any more, and has to be given.
  IDENTITY_PHRASE_NEEDED: 'expected',
  // It is on this machine, would be deleted, and nobody has said that it may be.
  IDENTITY_PHRASE_KEPT: 'expected',
  IDENTITY_ATTESTATION_INVALID: 'expected',
  // cloud
  CLOUD_KEY_INVALID: 'expected',
  MACHINE_UNKNOWN: 'expected',
  INVITATION_INVALID: 'expected',
  NOT_OWNER: 'refused',
  LIMIT_REACHED: 'expected',
  RELEASE_FILE_INVALID: 'expected',
  RELEASE_UNKNOWN: 'expected',
  LISTS_FILE_INVALID: 'expected',
  // look-up lists
  LIST_URL_INVALID: 'expected',
  LIST_UNKNOWN: 'expected',
  LIST_MISSING: 'expected',
  LIST_NO_KEY: 'expected',
  LIST_UNREACHABLE: 'environment',
  LIST_CONFLICT: 'environment',
  LIST_INVALID: 'refused',
  LIST_DENIED: 'refused',
  // systems
  REPO_URL_INVALID: 'expected',
  REPO_UNREACHABLE: 'environment',
  REPO_COMMIT_NOT_FOUND: 'expected',
  MANIFEST_MISSING: 'expected',
  MANIFEST_INVALID: 'expected',
  SYSTEM_NOT_INSTALLED: 'expected',
  SYSTEM_ID_AMBIGUOUS: 'expected',
  SYSTEM_SIGNATURE_INVALID: 'refused',
  // One key of its publisher has named two successors.
  SYSTEM_KEYS_FORKED: 'refused',
  SYSTEM_PUBLISHER_UNKNOWN: 'expected',
  SYSTEM_TOO_LARGE: 'expected',
  SYSTEM_FILE_NOT_FOUND: 'expected',
  SYSTEM_GRANT_INVALID: 'expected',
  SYSTEM_CODE_INVALID: 'expected',
  // db
  DB_COLLECTION_UNKNOWN: 'expected',
  DB_SCHEMA: 'expected',
  DB_FORBIDDEN: 'refused',
  DB_TOO_LARGE: 'expected',
  DB_NOT_FOUND: 'expected',
  DB_RECORD_FORGED: 'refused',
  // sessions
  SESSION_UNKNOWN: 'expected',
  SESSION_KIND_UNKNOWN: 'expected',
  SESSION_SEATS_INVALID: 'expected',
  SESSION_NOT_SEATED: 'refused',
  SESSION_SEAT_ELSEWHERE: 'expected',
  SESSION_NOT_YOUR_TURN: 'expected',
  SESSION_ACTION_ILLEGAL: 'expected',
  SESSION_OVER: 'expected',
  SESSION_CLAIM_EARLY: 'expected',
  SESSION_TRANSCRIPT_FORGED: 'refused',
  SESSION_TRANSCRIPT_MISSING: 'environment',
  // Its descriptor, a move once it is signed, or all that a seat has signed.
  SESSION_TOO_LARGE: 'expected',
  RULES_FAILED: 'expected',
  RULES_MISSING: 'environment',
  // tabs (the desktop window)
  TAB_UNKNOWN: 'expected',
  TAB_ADDRESS_INVALID: 'expected',
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERROR_KINDS

/** Is this text one of our codes? */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_KINDS, text)
}

/**
 * An error with a stable code, a message that says what happened and what the person can do,
 * and details for programs (JSON only).
 */
export class CloudError extends Error {
  readonly code: ErrorCode
  readonly details: unknown

  constructor(code: ErrorCode, message: string, details: unknown = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CloudError'
    this.code = code
    this.details = details
  }

  get kind(): ErrorKind {
    return ERROR_KINDS[this.code]
  }

  /** The form that `dharma call` prints. */
  toJSON(): { code: ErrorCode; message: string; details: unknown } {
    return { code: this.code, message: this.message, details: this.details }
  }
}

/** A signature to be checked. */
export interface SignatureCheck {
  message: Uint8Array
  /** 64 bytes. */
  signature: Uint8Array
  /** 32 bytes. */
  publicKey: Uint8Array
}

/** Checks signatures, near or far. It is all that is replaced where time is short: in simulations. */
export interface Verifier {
  /** Which of these hold, in order. Rejects if that can't be found out now. */
  verify(checks: readonly SignatureCheck[]): Promise<boolean[]>
}

/** Keeps secrets as well as the computer can: the desktop app has its system's key store, a daemon has none. */
export interface SecretStore {
  /** What to write to the disk in place of the secret; null if there is no key store here. */
  seal(secret: string): Promise<string | null>
  /** The secret again; null if the key store has not, or no more, what it takes. */
  open(sealed: string): Promise<string | null>
}

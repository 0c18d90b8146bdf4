// Seals secrets of the runtime with the system's key store, where there is one.

/** What is used of Electron's `safeStorage`. */
export interface SafeStorage {
  isEncryptionAvailable(): boolean
  /** On Linux only. */
  getSelectedStorageBackend?(): string
  encryptString(text: string): Buffer
  decryptString(sealed: Buffer): string
}

/** On Linux without a key store, Electron seals with a password that everybody knows. */
const NO_STORE = 'basic_text'

/** The secret sealed, or opened again; null if this computer has no key store, or that does not know it. */
export function answerSecret(
  store: SafeStorage,
  ask: 'seal' | 'open',
  text: string,
): string | null {
  if (!store.isEncryptionAvailable()) return null
  if (process.platform === 'linux' && store.getSelectedStorageBackend?.() === NO_STORE) return null
  try {
    return ask === 'seal'
      ? store.encryptString(text).toString('base64')
      : store.decryptString(Buffer.from(text, 'base64'))
  } catch {
    // Locked, or of another computer or account: who asked hears that there is none.
    return null
  }
}

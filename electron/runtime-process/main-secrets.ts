// Only the main process reaches the system's key store: the runtime asks it.
import type { SecretStore } from '../../node-runtime/ports/secret-store.ts'
import type { FromRuntime } from './messages.ts'

export class MainSecrets implements SecretStore {
  readonly #tell: (message: FromRuntime) => void
  readonly #waiting = new Map<number, (text: string | null) => void>()
  #asked = 0

  constructor(tell: (message: FromRuntime) => void) {
    this.#tell = tell
  }

  seal(secret: string): Promise<string | null> {
    return this.#ask('seal', secret)
  }

  open(sealed: string): Promise<string | null> {
    return this.#ask('open', sealed)
  }

  /** The main process has answered. */
  answered(id: number, text: string | null): void {
    this.#waiting.get(id)?.(text)
    this.#waiting.delete(id)
  }

  #ask(ask: 'seal' | 'open', text: string): Promise<string | null> {
    const id = this.#asked++
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#tell({ type: 'secret', id, ask, text })
    })
  }
}

// What the main process and the runtime's process say to each other, beside the ports.
import type { ErrorCode } from '../../node-runtime/contract/errors.ts'

/** Everything the runtime needs to start. */
export interface StartOptions {
  dataDir: string
  sdkDir: string
  cloud: string | null
  bootstrap: { host: string; port: number }[] | null
  /** Look-up lists to read from now on. */
  lists: string[]
}

/** In whose name calls on a port are made. */
export type PortOwner = { kind: 'owner' } | { kind: 'system'; system: string }

/** To the runtime's process. `port` comes with the port itself. */
export type ToRuntime =
  | { type: 'start'; options: StartOptions }
  | { type: 'port'; owner: PortOwner }
  /** This computer has woken from sleep. */
  | { type: 'awake' }
  /** The answer to `secret`; null if there is no key store, or that does not know it. */
  | { type: 'secret'; id: number; text: string | null }
  | { type: 'close' }

/** From the runtime's process. */
export type FromRuntime =
  | { type: 'ready' }
  | { type: 'failed'; error: { code: ErrorCode; message: string; details: unknown } }
  /** Seals a secret with the system's key store, or opens it again. */
  | { type: 'secret'; id: number; ask: 'seal' | 'open'; text: string }
  | { type: 'closed' }

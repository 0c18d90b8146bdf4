// Asks the ways of finding machines when it is time, and hears what each says. When that is decides
// `core/finding/ways-core.ts`.
import type { MachineAddress } from '../core/finding/dial-list.ts'
import { WaysCore } from '../core/finding/ways-core.ts'
import type {
  WayFault,
  WayName,
  WaysEffect,
  WaysEvent,
  WayStatus,
} from '../core/finding/ways-core.ts'
import { Driver } from '../flow/driver.ts'
import type { Log } from '../ports/log.ts'

/** A machine of the cloud was heard of. Nothing of it is proved. */
export type Sighted = (machine: string, addresses: readonly MachineAddress[]) => void

/** What a way tells while it is asked. */
export interface Heard {
  /** Of a machine that is to be tried at these addresses, and then by the DHT. */
  sighted: Sighted
  /** Of one that is dialled by others already. */
  named: (machine: string) => void
}

/**
 * One way: tells of machines as it hears of them, and resolves when it has heard all that there is now.
 * Rejects with `WayFailure`, and soon when the signal aborts. It may tell of more until it is asked again.
 */
export type Ask = (heard: Heard, signal: AbortSignal) => Promise<void>

/** A way could not be gone, and where it ended. */
export class WayFailure extends Error {
  /** Such as `NO_NODE`, for programs. */
  readonly step: string

  /** @param message  what happened, and what can be done */
  constructor(step: string, message: string) {
    super(message)
    this.step = step
  }
}

export interface WaysOptions {
  ask: Partial<Record<WayName, Ask>>
  sighted: (way: WayName, ...sighted: Parameters<Sighted>) => void
  /** What `status` says has changed. */
  changed: () => void
  random: () => number
  log: Log
}

export class Ways {
  readonly #options: WaysOptions
  readonly #core: WaysCore
  readonly #driver: Driver<WaysEvent, WaysEffect>
  readonly #asked = new Map<WayName, AbortController>()

  constructor(options: WaysOptions) {
    const { ask, random, changed, log } = options
    this.#options = options
    this.#core = new WaysCore({ on: Object.keys(ask) as WayName[], random })
    this.#driver = new Driver<WaysEvent, WaysEffect>({
      core: this.#core,
      perform: (effect) => {
        if (effect.type === 'ask') void this.#ask(effect.way)
        if (effect.type === 'changed') changed()
      },
      onFault: (error) => log.error('looking for machines failed through our own fault', { error }),
      mustKeep: ({ type }) => type !== 'named',
    })
  }

  get status(): WayStatus[] {
    return this.#core.status
  }

  start(): void {
    this.#driver.post({ type: 'started' })
  }

  linkOpened(machine: string): void {
    this.#driver.post({ type: 'linkOpened', machine })
  }

  linkClosed(machine: string): void {
    this.#driver.post({ type: 'linkClosed', machine })
  }

  /** Asks a way now, if it is one of this machine's: there is something new to ask. */
  askNow(way: WayName): void {
    this.#driver.post({ type: 'wanted', way })
  }

  networkChanged(): void {
    this.#driver.post({ type: 'networkChanged' })
  }

  close(): void {
    this.#driver.close()
    for (const asked of this.#asked.values()) asked.abort()
  }

  async #ask(way: WayName): Promise<void> {
    const ask = this.#options.ask[way]
    if (ask === undefined) return
    this.#asked.get(way)?.abort()
    const asked = new AbortController()
    this.#asked.set(way, asked)
    const named = (machine: string): void => {
      this.#driver.post({ type: 'named', way, machine })
    }
    const sighted: Sighted = (machine, addresses) => {
      named(machine)
      this.#options.sighted(way, machine, addresses)
    }
    try {
      await ask({ sighted, named }, asked.signal)
      if (!asked.signal.aborted) this.#driver.post({ type: 'answered', way })
    } catch (error) {
      if (!asked.signal.aborted) {
        this.#driver.post({ type: 'failed', way, fault: this.#faultOf(way, error) })
      }
    }
  }

  #faultOf(way: WayName, error: unknown): WayFault {
    if (error instanceof WayFailure) return { step: error.step, message: error.message }
    this.#options.log.error('a way of finding machines failed through our own fault', {
      way,
      error,
    })
    return {
      step: 'INTERNAL',
      message: 'This failed through a fault of Dharma; its log says more.',
    }
  }
}

// Decides when the router is asked for a port, and again, and what is told of it. A mapping holds for a while and is
// renewed long before that, so that a router that forgot it, as one does that was switched off, is without it for
// minutes. A change of network begins anew.
import type { MachineAddress } from '../finding/dial-list.ts'
import type { Core } from '../step.ts'
import { isPublicIpv4 } from './ipv4.ts'

/** What is asked for; the router may grant less. */
export const LIFETIME_S = 3_600
/** Routers do not say reliably that they began anew. One packet each way is little for so much. */
const RENEW_MS = 10 * 60_000
/** A router that grants seconds is not asked all the time. */
const SHORTEST_RENEW_MS = 30_000
/** A router may say years, which no timer can wait; one that is not heard for so long has forgotten. */
const LONGEST_LIFETIME_MS = 24 * 60 * 60_000
/** After a failure: first, then twice as long each time, up to the longest. */
const AGAIN_MS = 60_000
const LONGEST_AGAIN_MS = 60 * 60_000

export type MappingWay = 'pcp' | 'nat-pmp' | 'upnp'

export interface PortMapping {
  by: MappingWay
  /** Where others come in. */
  address: MachineAddress
  /** How long it holds, ms; null if until it is taken back. */
  lifetimeMs: number | null
}

/** Which step failed, for programs, and in words, with what can be done. */
export interface MappingFault {
  step: string
  message: string
}

export type MappingStatus =
  /** Not to be asked. */
  | { state: 'off' }
  | { state: 'asking' }
  /** `untilMs`: monotonic; null if until it is taken back. */
  | { state: 'mapped'; by: MappingWay; address: MachineAddress; untilMs: number | null }
  | { state: 'failed'; fault: MappingFault }

export type MappingEvent =
  | { type: 'switched'; on: boolean }
  /** This computer has other addresses than before, or was asleep. */
  | { type: 'networkChanged' }
  /** Answers to `ask`, of the same number. */
  | { type: 'granted'; ask: number; mapping: PortMapping }
  | { type: 'failed'; ask: number; fault: MappingFault }
  | { type: 'timer'; id: 'ask' | 'end' }

export type MappingEffect =
  /** Asks the router by every way, `first` before the others. What was asked before is no more of interest. */
  | { type: 'ask'; ask: number; first: PortMapping | null }
  /** Takes a mapping back; nobody waits for that. */
  | { type: 'release'; mapping: PortMapping }
  | { type: 'changed' }
  | { type: 'setTimer'; id: 'ask' | 'end'; afterMs: number }
  | { type: 'clearTimer'; id: 'ask' | 'end' }

export class MappingCore implements Core<MappingEvent, MappingEffect> {
  #on = false
  #ask = 0
  #isAsking = false
  #againMs = AGAIN_MS
  #mapping: { mapping: PortMapping; untilMs: number | null } | null = null
  /** It may be of a network that this computer has left. */
  #isDoubtful = false
  #fault: MappingFault | null = null

  get status(): MappingStatus {
    if (!this.#on) return { state: 'off' }
    if (this.#mapping !== null) {
      const { mapping, untilMs } = this.#mapping
      return { state: 'mapped', by: mapping.by, address: mapping.address, untilMs }
    }
    return this.#fault === null ? { state: 'asking' } : { state: 'failed', fault: this.#fault }
  }

  step(event: MappingEvent, nowMs: number): MappingEffect[] {
    switch (event.type) {
      case 'switched':
        return this.#switched(event.on)
      case 'networkChanged':
        return this.#on ? this.#beginAnew() : []
      case 'granted':
        return this.#isAnswer(event.ask) ? this.#granted(event.mapping, nowMs) : []
      case 'failed':
        return this.#isAnswer(event.ask) ? this.#failed(event.fault) : []
      case 'timer':
        if (!this.#on) return []
        return event.id === 'ask' ? this.#askNow() : this.#ended()
    }
  }

  #isAnswer(ask: number): boolean {
    return this.#on && this.#isAsking && ask === this.#ask
  }

  #switched(on: boolean): MappingEffect[] {
    if (on === this.#on) return []
    this.#on = on
    if (on) return this.#beginAnew()
    const had = this.#mapping
    this.#isAsking = false
    this.#mapping = null
    this.#fault = null
    return [
      { type: 'clearTimer', id: 'ask' },
      { type: 'clearTimer', id: 'end' },
      ...(had === null ? [] : [{ type: 'release', mapping: had.mapping } as const]),
      { type: 'changed' },
    ]
  }

  /** What there was is of another network, perhaps; the same router says so by granting it again. */
  #beginAnew(): MappingEffect[] {
    this.#isDoubtful = true
    this.#fault = null
    this.#againMs = AGAIN_MS
    return [...this.#askNow(), { type: 'changed' }]
  }

  #askNow(): MappingEffect[] {
    this.#isAsking = true
    const first = this.#mapping?.mapping ?? null
    return [
      { type: 'clearTimer', id: 'ask' },
      { type: 'ask', ask: ++this.#ask, first },
    ]
  }

  #granted(mapping: PortMapping, nowMs: number): MappingEffect[] {
    const { address } = mapping
    const lifetimeMs =
      mapping.lifetimeMs === null ? null : Math.min(mapping.lifetimeMs, LONGEST_LIFETIME_MS)
    if (!isPublicIpv4(address.host)) {
      const effects = this.#failed({
        step: 'BEHIND_ANOTHER',
        message: `The router gave a port, but its own address, ${address.host}, is behind another router, of the provider perhaps. That one would have to give one, too.`,
      })
      return [{ type: 'release', mapping }, ...effects]
    }
    const before = this.#isDoubtful ? null : this.#mapping
    this.#isAsking = false
    this.#isDoubtful = false
    this.#fault = null
    this.#againMs = AGAIN_MS
    this.#mapping = { mapping, untilMs: lifetimeMs === null ? null : nowMs + lifetimeMs }
    const half = (lifetimeMs ?? Number.POSITIVE_INFINITY) / 2
    return [
      // By the same way, it is the same one.
      ...(before === null || before.mapping.by === mapping.by
        ? []
        : [{ type: 'release', mapping: before.mapping } as const]),
      {
        type: 'setTimer',
        id: 'ask',
        afterMs: Math.max(SHORTEST_RENEW_MS, Math.min(RENEW_MS, half)),
      },
      lifetimeMs === null
        ? { type: 'clearTimer', id: 'end' }
        : { type: 'setTimer', id: 'end', afterMs: lifetimeMs },
      { type: 'changed' },
    ]
  }

  #failed(fault: MappingFault): MappingEffect[] {
    this.#isAsking = false
    this.#fault = fault
    if (this.#isDoubtful) this.#mapping = null
    const afterMs = this.#againMs
    this.#againMs = Math.min(2 * afterMs, LONGEST_AGAIN_MS)
    return [{ type: 'setTimer', id: 'ask', afterMs }, { type: 'changed' }]
  }

  /** It was not renewed in time. */
  #ended(): MappingEffect[] {
    this.#mapping = null
    return [{ type: 'changed' }]
  }
}

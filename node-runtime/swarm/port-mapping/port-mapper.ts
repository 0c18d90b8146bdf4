// This machine's port at its router, so that others come in by themselves: PCP, NAT-PMP and UPnP, one after the other.
// When that is done decides `core/port-mapping/mapping-core.ts`.
import { randomBytes } from 'node:crypto'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import { LIFETIME_S, MappingCore } from '../../core/port-mapping/mapping-core.ts'
import type {
  MappingEffect,
  MappingEvent,
  MappingStatus,
  PortMapping,
} from '../../core/port-mapping/mapping-core.ts'
import { GATEWAY_PORT } from '../../core/port-mapping/nat-pmp.ts'
import { NONCE_BYTES } from '../../core/port-mapping/pcp.ts'
import { SSDP_GROUP, SSDP_PORT } from '../../core/port-mapping/ssdp.ts'
import { Driver } from '../../flow/driver.ts'
import type { Log } from '../../ports/log.ts'
import { findGateway } from './gateway.ts'
import type { Gateway } from './gateway.ts'
import { findIgd, mapByIgd, unmapByIgd } from './igd.ts'
import type { Igd } from './igd.ts'
import { MappingFailure } from './mapping-failure.ts'
import { mapByNatPmp, mapByPcp } from './small-protocols.ts'

/** Taking a port back is good manners, for which nobody waits long. */
const RELEASE_WITHIN_MS = 1_000

export interface PortMapperOptions {
  /** Of this machine, UDP, once it is bound. */
  internalPort: () => Promise<number>
  /** What `status` says has changed. */
  changed: () => void
  log: Log
  /** The system's own if absent. @throws MappingFailure */
  gateway?: (signal: AbortSignal) => Promise<Gateway>
  /** Where routers listen; as the standards say if absent. */
  controlPort?: number
  ssdp?: MachineAddress
  /** How long answers are waited for, as a part of what is usual; 1 if absent. */
  patience?: number
}

export class PortMapper {
  readonly #options: PortMapperOptions
  readonly #core = new MappingCore()
  readonly #driver: Driver<MappingEvent, MappingEffect>
  /** As long as this runs: it names the mapping at routers that speak PCP. */
  readonly #nonce = randomBytes(NONCE_BYTES)
  #asked: AbortController | null = null
  /** What mappings were asked for of, to be taken back. */
  #gateway: Gateway | null = null
  #igd: Igd | null = null
  #internalPort = 0
  readonly #releases = new Set<Promise<void>>()

  constructor(options: PortMapperOptions) {
    this.#options = options
    const { log } = options
    this.#driver = new Driver<MappingEvent, MappingEffect>({
      core: this.#core,
      perform: (effect) => this.#perform(effect),
      onFault: (error) => log.error('the router is asked for no port by our own fault', { error }),
      mustKeep: () => true,
    })
  }

  get status(): MappingStatus {
    return this.#core.status
  }

  /** Where others come in through the router; null if they don't. */
  get address(): MachineAddress | null {
    const { status } = this
    return status.state === 'mapped' ? status.address : null
  }

  /** Asks for a port from now on, or takes it back. */
  switch(on: boolean): void {
    this.#driver.post({ type: 'switched', on })
  }

  networkChanged(): void {
    this.#driver.post({ type: 'networkChanged' })
  }

  /** Takes the port back, and waits a moment for that. */
  async close(): Promise<void> {
    this.switch(false)
    this.#driver.close()
    await Promise.all(this.#releases)
  }

  #perform(effect: MappingEffect): void {
    switch (effect.type) {
      case 'ask':
        return void this.#ask(effect.ask, effect.first)
      case 'release':
        return this.#release(effect.mapping)
      case 'changed':
        if (this.#core.status.state === 'off') this.#asked?.abort()
        return this.#options.changed()
      case 'setTimer':
      case 'clearTimer':
    }
  }

  async #ask(ask: number, first: PortMapping | null): Promise<void> {
    this.#asked?.abort()
    const asked = new AbortController()
    this.#asked = asked
    try {
      const mapping = await this.#map(first, asked.signal)
      if (asked.signal.aborted) this.#release(mapping)
      else this.#driver.post({ type: 'granted', ask, mapping })
    } catch (error) {
      if (asked.signal.aborted) return
      const fault = this.#faultOf(error)
      this.#driver.post({
        type: 'failed',
        ask,
        fault: { step: fault.step, message: fault.message },
      })
    }
  }

  async #map(first: PortMapping | null, signal: AbortSignal): Promise<PortMapping> {
    const { gateway: find = findGateway, internalPort, ssdp } = this.#options
    const gateway = await find(signal)
    const port = await internalPort()
    this.#gateway = gateway
    this.#internalPort = port
    const wish = {
      internalPort: port,
      externalPort: first?.address.port ?? port,
      lifetimeS: LIFETIME_S,
    }
    const ask = { ...this.#controlOf(gateway), wish, signal }
    const ways = {
      pcp: () => mapByPcp(ask, this.#nonce),
      'nat-pmp': () => mapByNatPmp(ask),
      upnp: async () => {
        const group = ssdp ?? { host: SSDP_GROUP, port: SSDP_PORT }
        this.#igd = await findIgd(gateway, { group, patience: ask.patience, signal })
        return this.#igd === null ? null : mapByIgd(this.#igd, wish, Math.random, signal)
      },
    }
    const order = (['pcp', 'nat-pmp', 'upnp'] as const).toSorted(
      (one, other) => Number(other === first?.by) - Number(one === first?.by),
    )
    let failure: MappingFailure | null = null
    for (const way of order) {
      try {
        const mapping = await ways[way]()
        if (mapping !== null) return mapping
      } catch (error) {
        if (!(error instanceof MappingFailure)) throw error
        failure ??= error
      }
      if (signal.aborted) break
    }
    throw failure ?? noAnswer()
  }

  #controlOf(gateway: Gateway): { gateway: Gateway; port: number; patience: number } {
    const { controlPort = GATEWAY_PORT, patience = 1 } = this.#options
    return { gateway, port: controlPort, patience }
  }

  #release(mapping: PortMapping): void {
    const [gateway, igd] = [this.#gateway, this.#igd]
    if (gateway === null) return
    const signal = AbortSignal.timeout(RELEASE_WITHIN_MS)
    const wish = { internalPort: this.#internalPort, externalPort: 0, lifetimeS: 0 }
    const ask = { ...this.#controlOf(gateway), wish, signal }
    const unmap = async (): Promise<void> => {
      if (mapping.by === 'pcp') await mapByPcp(ask, this.#nonce)
      else if (mapping.by === 'nat-pmp') await mapByNatPmp(ask)
      else if (igd !== null) await unmapByIgd(igd, mapping.address.port, signal)
    }
    const release = unmap()
      .catch((error: unknown) => {
        // It ends by itself, at most of routers.
        this.#options.log.info('the router does not take its port back', { error })
      })
      .finally(() => this.#releases.delete(release))
    this.#releases.add(release)
  }

  #faultOf(error: unknown): MappingFailure {
    if (error instanceof MappingFailure) return error
    this.#options.log.error('the router is asked for no port by our own fault', { error })
    return new MappingFailure(
      'INTERNAL',
      'This failed through a fault of Dharma; its log says more.',
    )
  }
}

function noAnswer(): MappingFailure {
  return new MappingFailure(
    'NO_ANSWER',
    'The router does not answer when it is asked for a port. Port mapping (UPnP, NAT-PMP or PCP) may be switched on in its settings.',
  )
}

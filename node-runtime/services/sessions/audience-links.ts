// Drives the audience over the links: its messages, and which logs are replicated with whom.
import * as z from 'zod'
import { hashSchema, signedFormSchema } from '../../contract/values.ts'
import type { SignedForm } from '../../contract/values.ts'
import { Audience } from '../../core/sessions/audience.ts'
import type { AudienceEvent } from '../../core/sessions/audience.ts'
import { audienceMessageSchema } from '../../core/sessions/audience-messages.ts'
import type { AudienceMessage } from '../../core/sessions/audience-messages.ts'
import type { AudienceEffect, Followed } from '../../core/sessions/audience-scene.ts'
import { MAX_BLOCK_BYTES } from '../../core/sessions/block.ts'
import { Driver } from '../../flow/driver.ts'
import type { TimerEffect, TimerEvent } from '../../flow/driver.ts'
import type { Log } from '../../ports/log.ts'
import type { SeatLog } from '../../store/session-logs.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { LinkMux, Network, Protocol } from '../../swarm/network.ts'

const PROTOCOL = 'dharma/sessions/2'
/** Actions at once, ahead of the log that holds them. A link that closes loses nothing by it. */
const ACTIONS_PROTOCOL = 'dharma/session-actions/1'
/** Both forms of a message are at most as large as a block: what can be signed can be sent. */
const MAX_ACTION_BYTES = 2 * MAX_BLOCK_BYTES

const actionMessageSchema = z.object({
  session: hashSchema,
  action: signedFormSchema,
  attestation: signedFormSchema,
})
type ActionMessage = z.infer<typeof actionMessageSchema>
/** What the driver does by itself is none of these. */
type Happening = Exclude<AudienceEvent, TimerEvent>
type Deed = Exclude<AudienceEffect, TimerEffect>
/** The longest path, of 52 characters a machine. */
const MAX_MESSAGE_BYTES = 8_192

export interface AudienceLinksOptions {
  network: Network
  machine: string
  /** The logs of a session that is followed here. */
  logsOf: (session: string) => readonly SeatLog[]
  /** An action of a session that is followed here, from a machine that it is replicated with. */
  onAction: (session: string, action: SignedForm, attestation: SignedForm) => void
  /** Called when a machine comes or goes. */
  onPeers: () => void
  log: Log
}

export class AudienceLinks {
  readonly #options: AudienceLinksOptions
  readonly #core: Audience
  readonly #protocol: Protocol<AudienceMessage>
  readonly #actions: Protocol<ActionMessage>
  readonly #links = new Map<string, LinkMux>()
  /** By session, the machines that its logs are replicated with. */
  readonly #partners = new Map<string, readonly string[]>()
  readonly #driver: Driver<Happening, Deed>
  readonly #stopLinks: () => void

  constructor(options: AudienceLinksOptions) {
    this.#options = options
    const { network, machine, onPeers, log } = options
    this.#core = new Audience({ machine, random: Math.random })
    this.#driver = new Driver<Happening, Deed>({
      core: this.#core,
      perform: (effect) => this.#perform(effect),
      onFault: (error) => log.error('a fault in who serves whom in an audience', { error }),
      // Only what machines say comes in any number; what is lost of that is said again.
      mustKeep: ({ type }) => type !== 'received',
    })
    this.#stopLinks = network.onLink((mux, peer) => {
      this.#links.set(peer.machine, mux)
      for (const session of this.#partners.keys()) this.replicate(session)
    })
    this.#actions = network.openProtocol({
      name: ACTIONS_PROTOCOL,
      codec: jsonCodec(actionMessageSchema, MAX_ACTION_BYTES),
      received: (peer, { session, action, attestation }) => {
        const isPartner = this.#partners.get(session)?.includes(peer.machine) ?? false
        if (isPartner) options.onAction(session, action, attestation)
      },
    })
    this.#protocol = network.openProtocol({
      name: PROTOCOL,
      codec: jsonCodec(audienceMessageSchema as z.ZodType<AudienceMessage>, MAX_MESSAGE_BYTES),
      opened: (peer) => {
        this.#driver.post({ type: 'peerOpened', machine: peer.machine })
        onPeers()
      },
      received: (peer, message) => {
        this.#driver.post({ type: 'received', from: peer.machine, message })
      },
      closed: (peer) => {
        this.#links.delete(peer.machine)
        this.#driver.post({ type: 'peerClosed', machine: peer.machine })
        onPeers()
      },
    })
  }

  /** Tells those that the session is replicated with, before they have asked for the block. */
  push(session: string, action: SignedForm, attestation: SignedForm): void {
    for (const machine of this.#partners.get(session) ?? []) {
      if (this.#actions.writable(machine)) {
        this.#actions.send(machine, { session, action, attestation })
      }
    }
  }

  isOnline(machine: string): boolean {
    return this.#core.isOnline(machine)
  }

  /** Is a session replicated with that machine? */
  uses(machine: string): boolean {
    for (const partners of this.#partners.values()) if (partners.includes(machine)) return true
    return false
  }

  placeOf(session: string): { source: string | null; children: string[] } | null {
    return this.#core.placeOf(session)
  }

  /** Begins to follow a session, or says what has changed. */
  follow(followed: Followed): void {
    this.#driver.post({ type: 'followed', followed })
  }

  unfollow(session: string): void {
    this.#driver.post({ type: 'unfollowed', session })
  }

  /** Replicates the session's logs, those that came later too, with whom it was said. */
  replicate(session: string): void {
    for (const machine of this.#partners.get(session) ?? []) {
      const mux = this.#links.get(machine)
      if (mux === undefined) continue
      for (const log of this.#options.logsOf(session)) log.replicate(mux)
    }
  }

  close(): void {
    this.#driver.close()
    this.#stopLinks()
    this.#protocol.close()
    this.#actions.close()
  }

  #perform(effect: Deed): void {
    switch (effect.type) {
      case 'send':
        this.#protocol.send(effect.to, effect.message)
        return
      case 'reach':
        this.#options.network.reach(effect.machine)
        return
      case 'replicate':
        this.#setPartners(effect.session, effect.machines)
    }
  }

  #setPartners(session: string, machines: readonly string[]): void {
    const before = this.#partners.get(session) ?? []
    if (machines.length === 0) this.#partners.delete(session)
    else this.#partners.set(session, machines)
    for (const machine of before) {
      const mux = this.#links.get(machine)
      if (mux === undefined || machines.includes(machine)) continue
      for (const log of this.#options.logsOf(session)) log.stopReplicating(mux)
    }
    this.replicate(session)
  }
}

// What the services see of the network: authenticated links to other machines of the cloud, and
// named protocols over them.
import type * as z from 'zod'

/** What a machine says of itself, signed by its key; see `core/hello.ts`. */
export interface PeerInfo {
  /** Machine key. */
  machine: string
  /** Key of the person who attested the machine. */
  person: string
}

export interface ProtocolDefinition<M> {
  /** Such as `dharma/sessions/1`; both sides must have it. */
  name: string
  /** Messages that do not fit are dropped, and the link is closed. */
  message: z.ZodType<M>
  opened?: (peer: PeerInfo) => void
  received: (peer: PeerInfo, message: M) => void
  closed?: (peer: PeerInfo) => void
}

/** One protocol, over all present and future links. */
export interface Protocol<M> {
  /** False if there is no link to that machine. */
  send(machine: string, message: M): boolean
  broadcast(message: M): void
  /** The machines this protocol is open with. */
  peers(): PeerInfo[]
  close(): void
}

/** The Protomux of a link, for stores that replicate over it. Opaque to services. */
export type LinkMux = object

export interface Network {
  openProtocol<M>(definition: ProtocolDefinition<M>): Protocol<M>
  isOnline(machine: string): boolean
  /** Keeps trying to have a link with that machine. Idempotent. */
  reach(machine: string): void
  /** Calls `attach` for every present and future link; the returned function stops that. */
  onLink(attach: (mux: LinkMux, peer: PeerInfo) => void): () => void
}

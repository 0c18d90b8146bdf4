// What the services see of the network: authenticated links to other machines of the cloud, and
// named protocols over them.
import type { MachineAddress } from '../core/finding/dial-list.ts'
import type { LinkMux } from '../ports/link-mux.ts'
import type { Codec } from './codec.ts'

export type { LinkMux } from '../ports/link-mux.ts'

/** Who is at the other end, as the greeting proved. */
export interface PeerInfo {
  /** Machine key. */
  machine: string
  /** Key of the person who attested the machine. */
  person: string
}

export interface ProtocolDefinition<M> {
  /** Such as `dharma/sessions/2`; both sides must have it. */
  name: string
  /** Messages that it does not read are dropped, and the link is closed. */
  codec: Codec<M>
  // A handler that throws ends the link it was called for, and nothing else; see `PeerFault`.
  opened?: (peer: PeerInfo) => void
  received: (peer: PeerInfo, message: M) => void
  /** The link takes more again, after `writable` was false. */
  drained?: (peer: PeerInfo) => void
  closed?: (peer: PeerInfo) => void
}

/** One protocol, over all present and future links. */
export interface Protocol<M> {
  /**
   * False if there is no link to that machine. What can't leave at once is kept in memory: who sends
   * much asks `writable` first and goes on when `drained` is called.
   * @throws RangeError if the message is larger than the codec allows
   */
  send(machine: string, message: M): boolean
  /** Is there a link to that machine, and does it take more now? */
  writable(machine: string): boolean
  broadcast(message: M): void
  /** The machines this protocol is open with. */
  peers(): PeerInfo[]
  close(): void
}

export interface Network {
  openProtocol<M>(definition: ProtocolDefinition<M>): Protocol<M>
  isOnline(machine: string): boolean
  /**
   * Keeps trying to have a link with that machine. Idempotent.
   * @param addresses  where it says that it is, if that is known
   */
  reach(machine: string, addresses?: readonly MachineAddress[]): void
  /** Calls `attach` for every present and future link; the returned function stops that. */
  onLink(attach: (mux: LinkMux, peer: PeerInfo) => void): () => void
}

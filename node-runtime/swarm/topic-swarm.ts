// The stack's own swarm dials whoever it finds by the topic of the cloud, and dials again whoever ends a link. In a cloud
// in which each has links with some of the others, that would never end: so here it is asked first.
import Hyperswarm from 'hyperswarm'
import type { PeerInfo } from 'hyperswarm'
import { encodeKey } from '../core/keys.ts'

export interface TopicSwarmOptions {
  /** A machine, or a stranger, was found by the topic. */
  named: (machine: string) => void
  /** Is it to be dialled now? */
  seeks: (machine: string) => boolean
}

export class TopicSwarm extends Hyperswarm {
  readonly #options: TopicSwarmOptions

  constructor(stack: ConstructorParameters<typeof Hyperswarm>[0], options: TopicSwarmOptions) {
    super(stack)
    this.#options = options
  }

  override _handlePeer(peer: { publicKey: Uint8Array }, topic: Uint8Array): void {
    const machine = encodeKey(peer.publicKey)
    // It finds itself, too.
    if (machine === encodeKey(this.keyPair.publicKey)) return
    this.#options.named(machine)
    super._handlePeer(peer, topic)
  }

  /** Whom this machine asked for itself (`joinPeer`) is dialled in any case. */
  override _connect(peer: PeerInfo, queued: boolean): void {
    if (peer.explicit || this.#options.seeks(encodeKey(peer.publicKey))) {
      return super._connect(peer, queued)
    }
    // It is named again by the next look-up; until then there is nothing to remember of it.
    if (queued) this._flushMaybe(peer)
    this._maybeDeletePeer(peer)
  }
}

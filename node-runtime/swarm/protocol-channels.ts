// The channels of one protocol, one on each link that has it: messages go in and out through the
// protocol's codec, and nothing that a handler throws reaches the stack below.
import type { Channel, MessageType } from 'protomux'
import { untouchedBytes } from './codec.ts'
import type { Link } from './link.ts'
import type { PeerInfo, Protocol, ProtocolDefinition } from './network.ts'
import { PeerFault } from './peer-fault.ts'

interface OpenChannel {
  link: Link
  channel: Channel
  message: MessageType<Uint8Array>
}

export interface ProtocolChannelsOptions {
  /** The link is to be closed. An `error` was thrown by a handler of ours. */
  onFault: (link: Link, reason: string, error?: unknown) => void
  onClose: () => void
}

/** A protocol as the swarm sees it, whatever its messages are. */
export interface LinkProtocol {
  open(link: Link): void
}

export class ProtocolChannels<M> implements Protocol<M>, LinkProtocol {
  readonly #definition: ProtocolDefinition<M>
  readonly #options: ProtocolChannelsOptions
  readonly #channels = new Map<string, OpenChannel>()

  constructor(definition: ProtocolDefinition<M>, options: ProtocolChannelsOptions) {
    this.#definition = definition
    this.#options = options
  }

  /** Opens the protocol on a link, in place of an earlier link with the same machine. */
  open(link: Link): void {
    const { name, opened, drained } = this.#definition
    const { peer } = link
    const { machine } = peer
    const channel = link.mux.createChannel({
      protocol: name,
      onopen: () => this.#guard(link, () => opened?.(peer)),
      ondrain: () => this.#guard(link, () => drained?.(peer)),
      onclose: () => {
        if (this.#channels.get(machine)?.channel === channel) this.#closed(link)
      },
    })
    if (channel === null) return
    const message = channel.addMessage({
      encoding: untouchedBytes,
      onmessage: (bytes) => this.#received(link, bytes),
    })
    const earlier = this.#channels.get(machine)
    if (earlier !== undefined) this.#closed(earlier.link)
    this.#channels.set(machine, { link, channel, message })
    channel.open()
  }

  send(machine: string, message: M): boolean {
    const open = this.#channels.get(machine)
    if (open === undefined) return false
    this.#write(open, this.#definition.codec.encode(message))
    return true
  }

  writable(machine: string): boolean {
    return this.#channels.get(machine)?.channel.drained ?? false
  }

  broadcast(message: M): void {
    if (this.#channels.size === 0) return
    const bytes = this.#definition.codec.encode(message)
    for (const open of this.#channels.values()) this.#write(open, bytes)
  }

  peers(): PeerInfo[] {
    return [...this.#channels.values()].map(({ link }) => link.peer)
  }

  close(): void {
    this.#options.onClose()
    for (const { channel } of [...this.#channels.values()]) channel.close()
  }

  #write({ link, message }: OpenChannel, bytes: Uint8Array): void {
    message.send(bytes)
    link.mux.checkUnread()
  }

  #received(link: Link, bytes: Uint8Array): void {
    const { codec, received } = this.#definition
    const message = codec.decode(bytes)
    if (message === null) this.#options.onFault(link, 'it sent a message that does not fit')
    else this.#guard(link, () => received(link.peer, message))
  }

  #closed(link: Link): void {
    this.#channels.delete(link.peer.machine)
    this.#guard(link, () => this.#definition.closed?.(link.peer))
  }

  #guard(link: Link, handle: () => void): void {
    try {
      handle()
    } catch (error) {
      if (error instanceof PeerFault) this.#options.onFault(link, error.message)
      else this.#options.onFault(link, 'a protocol failed', error)
    }
  }
}

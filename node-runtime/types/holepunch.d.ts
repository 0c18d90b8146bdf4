// Declarations for the parts of the Holepunch stack that Dharma uses. The packages ship none.

declare module 'sodium-universal' {
  const sodium: {
    crypto_sign_PUBLICKEYBYTES: number
    crypto_sign_SECRETKEYBYTES: number
    crypto_sign_BYTES: number
    crypto_sign_seed_keypair(publicKey: Buffer, secretKey: Buffer, seed: Buffer): void
    crypto_sign_detached(signature: Buffer, message: Buffer, secretKey: Buffer): void
    crypto_sign_verify_detached(signature: Buffer, message: Buffer, publicKey: Buffer): boolean
    crypto_generichash(output: Buffer, input: Buffer, key?: Buffer): void
    crypto_secretbox_NONCEBYTES: number
    crypto_secretbox_MACBYTES: number
    crypto_secretbox_easy(output: Buffer, message: Buffer, nonce: Buffer, key: Buffer): void
    crypto_secretbox_open_easy(output: Buffer, sealed: Buffer, nonce: Buffer, key: Buffer): boolean
  }
  export default sodium
}

declare module 'z32' {
  const z32: {
    encode(bytes: Uint8Array): string
    /** Throws for characters of another alphabet. */
    decode(text: string): Buffer
  }
  export default z32
}

declare module 'compact-encoding' {
  export interface Encoding<T> {
    preencode(state: object, value: T): void
    encode(state: object, value: T): void
    decode(state: object): T
  }
  const c: {
    raw: Encoding<Uint8Array>
    buffer: Encoding<Uint8Array>
    uint: Encoding<number>
    string: Encoding<string>
    utf8: Encoding<string>
    json: Encoding<unknown>
    encode<T>(encoding: Encoding<T>, value: T): Uint8Array
    /** Throws for bytes that are none. */
    decode<T>(encoding: Encoding<T>, bytes: Uint8Array): T
  }
  export default c
}

declare module 'protomux' {
  import type { Duplex } from 'node:stream'
  import type { Encoding } from 'compact-encoding'
  export interface MessageType<T> {
    send(message: T): boolean
  }
  export interface Channel {
    readonly protocol: string
    readonly opened: boolean
    readonly closed: boolean
    /** Does the stream below take more now? */
    readonly drained: boolean
    /** What the owner of the channel keeps with it. */
    userData: unknown
    readonly messages: MessageType<unknown>[]
    open(handshake?: unknown): void
    close(): void
    addMessage<T>(options: MessageOptions<T>): MessageType<T>
    _close(isRemote: boolean): void
  }
  export interface MessageOptions<T> {
    encoding: Encoding<T>
    onmessage: (message: T, channel: Channel) => unknown
  }
  export interface ChannelOptions {
    userData?: unknown
    protocol: string
    aliases?: string[]
    id?: Uint8Array | null
    unique?: boolean
    handshake?: Encoding<unknown>
    messages?: MessageOptions<never>[]
    onopen?: (handshake: never, channel: Channel) => unknown
    onclose?: (isRemote: boolean, channel: Channel) => unknown
    ondrain?: (channel: Channel) => unknown
    ondestroy?: (channel: Channel) => unknown
  }
  interface Name {
    protocol: string
    id?: Uint8Array | null
  }
  interface DecodingState {
    buffer: Uint8Array
    start: number
    end: number
  }
  export default class Protomux {
    static from(stream: unknown): Protomux
    constructor(stream: unknown)
    readonly isProtomux: true
    readonly drained: boolean
    readonly stream: Duplex & { destroy(error?: Error): void }
    createChannel(options: ChannelOptions): Channel | null
    pair(name: Name, notify: (id: Uint8Array | null) => void | Promise<void>): void
    unpair(name: Name): void
    opened(name: Name): boolean
    getLastChannel(name: Name): Channel | null
    cork(): void
    uncork(): void
    // Parts of its inside that `swarm/guarded-mux.ts` overrides; its test tells when they have changed.
    _local: (Channel | null)[]
    _remote: unknown[]
    _destroying: boolean
    _paused: boolean
    _ondata(buffer: Uint8Array): void
    _ondrain(): void
    _onopensession(state: DecodingState): Promise<void> | null
    _requestSession(protocol: string, id: Uint8Array | null, info: unknown): Promise<void>
    _resumeMaybe(): void
    _decode(remoteId: number, state: DecodingState): unknown
    _safeDestroy(error: unknown): void
    _warn(error: unknown): void
    _shutdown(): void
  }
}

declare module 'blind-relay' {
  import type { Encoding } from 'compact-encoding'
  export interface Pairing {
    isInitiator: boolean
    /** 32 bytes that both ends name. */
    token: Uint8Array
    /** Of the raw stream that is to be connected. */
    id: number
    seq: number
  }
  const relay: {
    messages: { pair: Encoding<Pairing>; unpair: Encoding<{ token: Uint8Array }> }
    Client: {
      /** Over a connection with a relay. */
      from(
        stream: unknown,
        options: { id: Uint8Array },
      ): {
        pair(
          isInitiator: boolean,
          token: Uint8Array,
          stream: RawStream,
        ): import('node:events').EventEmitter
      }
    }
    token(): Buffer
  }
  import type { RawStream } from 'hyperdht'
  export default relay
}

declare module 'hypercore' {
  import type { EventEmitter } from 'node:events'
  import type { Duplex } from 'node:stream'
  export interface DownloadRange {
    done(): Promise<boolean>
    destroy(): void
  }
  export interface HypercorePeer {
    remotePublicKey: Uint8Array
    stats: Record<string, { sent: number; received: number }>
  }
  /** What a core's key is the hash of. */
  export interface HypercoreManifest {
    version: number
    hash: 'blake2b'
    quorum: number
    signers: readonly object[]
    prologue: { hash: Uint8Array; length: number } | null
  }
  export interface HypercoreReplicatorPeer {
    readonly protomux: object
    readonly channel: { close(): void }
  }
  /** Where a log's replication over one multiplexed link begins and ends. */
  export interface HypercoreReplicator {
    readonly peers: readonly HypercoreReplicatorPeer[]
    attached(mux: object): boolean
    detachFrom(mux: object): void
  }
  export default class Hypercore extends EventEmitter {
    constructor(storage: string, key?: Uint8Array)
    /** One end of an encrypted connection, over a raw stream that is to be piped to the other's. */
    static createProtocolStream(isInitiator: boolean): Duplex & {
      readonly noiseStream: Duplex & { readonly opened: Promise<boolean>; userData: unknown }
    }
    readonly replicator: HypercoreReplicator
    readonly key: Buffer
    readonly discoveryKey: Buffer
    readonly length: number
    readonly byteLength: number
    readonly contiguousLength: number
    readonly writable: boolean
    readonly closed: boolean
    readonly peers: HypercorePeer[]
    /** Null until it is known. */
    readonly manifest: HypercoreManifest | null
    ready(): Promise<void>
    append(block: unknown): Promise<{ length: number; byteLength: number }>
    /** Closes it and removes it from the disk. */
    purge(): Promise<void>
    get(
      index: number,
      options?: { wait?: boolean; timeout?: number; valueEncoding?: string },
    ): Promise<unknown>
    has(start: number, end?: number): Promise<boolean>
    update(options?: { wait?: boolean }): Promise<boolean>
    treeHash(length?: number): Promise<Buffer>
    /** Forgets blocks. */
    clear(start: number, end?: number): Promise<unknown>
    download(range?: { start?: number; end?: number; linear?: boolean }): DownloadRange
    replicate(streamOrMux: unknown, options?: object): unknown
    close(): Promise<void>
  }
}

declare module 'corestore' {
  import type { EventEmitter } from 'node:events'
  import type Hypercore from 'hypercore'
  import type { HypercoreManifest } from 'hypercore'
  export interface GetOptions {
    key?: Uint8Array
    discoveryKey?: Uint8Array
    name?: string
    manifest?: HypercoreManifest
    keyPair?: { publicKey: Uint8Array; secretKey: Uint8Array }
    valueEncoding?: 'json' | 'binary' | 'utf-8'
    allowFork?: boolean
    createIfMissing?: boolean
    active?: boolean
  }
  export default class Corestore extends EventEmitter {
    constructor(storage: string, options?: { primaryKey?: Uint8Array; unsafe?: boolean })
    ready(): Promise<void>
    get(options: GetOptions): Hypercore
    /** The discovery keys of all cores that are stored. */
    list(): AsyncIterable<Buffer>
    namespace(name: string): Corestore
    /** The key pair of a name in this namespace: always the same. */
    createKeyPair(name: string): Promise<{ publicKey: Uint8Array; secretKey: Uint8Array }>
    replicate(stream: unknown): unknown
    close(): Promise<void>
  }
}

declare module 'hyperdht' {
  import type { EventEmitter } from 'node:events'
  import type { SwarmConnection } from 'hyperswarm'
  export interface DhtAddress {
    host: string
    port: number
  }
  export interface DhtOptions {
    bootstrap?: (DhtAddress | string)[]
    host?: string
    port?: number
    ephemeral?: boolean
    firewalled?: boolean
    /** False: whether others reach it is not asked at the start. */
    quickFirewall?: boolean
    anyPort?: boolean
    keyPair?: { publicKey: Uint8Array; secretKey: Uint8Array }
    nodes?: DhtAddress[]
    /** Each connection says something after so much silence. */
    connectionKeepAlive?: number
  }
  export interface DhtConnectOptions {
    keyPair?: { publicKey: Uint8Array; secretKey: Uint8Array }
    /** Nodes that are asked first for the way to the machine; the machine itself may be one. */
    relayAddresses?: DhtAddress[] | null
    /** Key of a machine that passes on what both sides send until there is a direct way. */
    relayThrough?: Uint8Array | null
    /** False: not even on the same network. */
    localConnection?: boolean
    holepunch?: () => boolean
  }
  /** One end of a raw connection over UDP, below the encryption. */
  export interface RawStream extends EventEmitter {
    readonly id: number
    readonly bytesReceived: number
    connect(socket: object, remoteId: number, port: number, host: string): void
    /** Passes on what comes to where another one is connected. */
    relayTo(other: RawStream): void
    destroy(): void
  }
  export interface DhtServer extends EventEmitter {
    /** Listens under the key, and announces it. */
    listen(keyPair: { publicKey: Uint8Array; secretKey: Uint8Array }): Promise<void>
    close(): Promise<void>
    /** What keeps it announced; null while it does not listen. */
    readonly _announcer: { refresh(): void; readonly _sleeper: Sleeper } | null
  }
  export interface Sleeper {
    pause(ms: number): Promise<void>
    /** Ends a pause. */
    resume(): void
  }
  export default class DHT extends EventEmitter {
    constructor(options?: DhtOptions)
    static bootstrapper(port: number, host: string, options?: object): DHT
    readonly bootstrapped: boolean
    readonly destroyed: boolean
    readonly online: boolean
    readonly nodes: { length: number; toArray(): DhtAddress[] }
    /** Those that it begins at; `host` may be an address and a name, with an @ between. */
    readonly bootstrapNodes: readonly DhtAddress[]
    readonly port: number
    address(): DhtAddress & { family?: number }
    fullyBootstrapped(): Promise<void>
    ready(): Promise<void>
    connect(publicKey: Uint8Array, options?: DhtConnectOptions): SwarmConnection
    createServer(
      options: {
        /** True turns who dials away. */
        firewall?: (
          publicKey: Buffer,
          by: { firewall: number; relayThrough: object | null },
        ) => boolean
        /** The key of the relay to name in the answer to who dials, asked after `firewall`. */
        relayThrough?: () => Uint8Array | null
        shareLocalAddress?: boolean
        /** False: only a relay leads here. */
        holepunch?: false
      },
      onConnection: (connection: SwarmConnection) => void,
    ): DhtServer
    createRawStream(options: {
      framed: boolean
      /** True turns away what comes from there. */
      firewall: (socket: object, port: number, host: string) => boolean
    }): RawStream
    /** Rejects if no node answers there. */
    ping(address: DhtAddress, options?: { retry?: boolean }): Promise<unknown>
    /** Nodes that answered lately, for the next start. */
    toArray(options?: { limit?: number }): DhtAddress[]
    /** On the network of this computer; null before it is bound. */
    localAddress(): DhtAddress | null
    /** As others see it; null while that is not known, or changes with each of them. */
    remoteAddress(): DhtAddress | null
    /** Can't others reach it without its help? Not known before some have tried: true until then. */
    firewalled: boolean
    /** Is it asked by others to keep what is looked for? Not before it was reached for twenty minutes. */
    ephemeral: boolean
    // Parts of its inside that `swarm/hinted-dht.ts` uses; its test tells when they have changed.
    readonly io: { firewalled: boolean; ephemeral: boolean }
    /** Has nodes try to reach it. @param onlyFirewall  that, and nothing else */
    _updateNetworkState(onlyFirewall: boolean): Promise<boolean>
    /** The one with which it dials. */
    readonly socket: { address(): DhtAddress }
    /** Resolves once it has its sockets. */
    bind(): Promise<void>
    /** Does the router choose another port for each of them? */
    readonly randomized: boolean
    destroy(options?: { force?: boolean }): Promise<void>
  }
}

declare module 'hyperswarm' {
  import type { EventEmitter } from 'node:events'
  import type { Duplex } from 'node:stream'
  import type DHT from 'hyperdht'
  export interface SwarmConnection extends Duplex {
    readonly remotePublicKey: Buffer
    readonly publicKey: Buffer
    readonly handshakeHash: Buffer
    readonly isInitiator: boolean
    readonly rawStream: EventEmitter & {
      rtt: number
      bytesTransmitted: number
      bytesReceived: number
      readonly remoteHost: string | null
      readonly remotePort: number
      /** Null before it is connected. */
      readonly socket: object | null
      // Part of its inside that `swarm/relay/punching.ts` uses; `nat.test.ts` tells when it has changed.
      _firewall(socket: object, port: number, host: string): boolean
    }
    /** Length of the frame that is being received; read by `swarm/doorkeeper.ts`. */
    readonly _len: number
    /** The stack calls it once there is a raw connection; watched by `swarm/relay/meetings.ts`. */
    start(rawStream: SwarmConnection['rawStream'], options: object): void
    /**
     * Sends it sealed, as one datagram that may be lost, come twice or in another order (event `message`, with its
     * bytes). Nothing happens before the connection is open, or if it does not go over UDP.
     */
    trySend(bytes: Uint8Array): void
    destroy(error?: Error): this
  }
  export interface PeerDiscovery {
    /** False if the look-up failed. */
    flushed(): Promise<boolean>
    refresh(options?: { client?: boolean; server?: boolean }): Promise<boolean>
    destroy(): Promise<void>
  }
  export interface PeerInfo {
    readonly publicKey: Uint8Array
    /** By `joinPeer`. */
    readonly explicit: boolean
    ban(isBanned: boolean): void
  }
  export default class Hyperswarm extends EventEmitter {
    constructor(options: {
      dht?: DHT
      keyPair?: { publicKey: Uint8Array; secretKey: Uint8Array }
      maxPeers?: number
      /** Dials at a time. */
      maxParallel?: number
      /** True turns a machine away. `by`: what its handshake says; null if this machine is about to dial it. */
      firewall?: (
        remotePublicKey: Uint8Array,
        by: { firewall: number; relayThrough: object | null } | null,
      ) => boolean
      backoffs?: number[]
      /**
       * Which machine to go through. Asked with a flag when this machine dials (true once it dialled in vain),
       * without one when it is dialled, after `firewall` and in the course of the same handshake.
       */
      relayThrough?: (force?: boolean) => Uint8Array | null
    })
    readonly dht: DHT
    readonly keyPair: { readonly publicKey: Uint8Array }
    readonly connections: Set<SwarmConnection>
    /** Machines that were heard of, by their key as hex. */
    readonly peers: ReadonlyMap<string, PeerInfo>
    readonly stats: { readonly connects: { readonly client: { readonly attempted: number } } }
    on(event: 'connection', listener: (connection: SwarmConnection) => void): this
    on(event: 'update', listener: () => void): this
    join(topic: Uint8Array, options?: { client?: boolean; server?: boolean }): PeerDiscovery
    joinPeer(publicKey: Uint8Array): void
    leavePeer(publicKey: Uint8Array): void
    /** Lets others connect, also without a topic. */
    listen(): Promise<void>
    flush(): Promise<void>
    destroy(options?: { force?: boolean }): Promise<void>
    // Part of its inside that `swarm/topic-swarm.ts` takes hold of; its test tells when it has changed.
    /** A look-up has found a machine: it is to be dialled. */
    _handlePeer(peer: { publicKey: Uint8Array }, topic: Uint8Array): void
    /** @param queued  by a look-up, or after a link has ended */
    _connect(peer: PeerInfo, queued: boolean): void
    _flushMaybe(peer: PeerInfo): void
    _maybeDeletePeer(peer: PeerInfo): void
  }
}

declare module 'fs-native-extensions' {
  /** True if the lock was granted. It is released when the file is closed or the process ends. */
  export function tryLock(fd: number): boolean
}

declare module '@hyperswarm/testnet' {
  import type { DhtAddress } from 'hyperdht'
  interface Testnet {
    bootstrap: DhtAddress[]
    destroy(): Promise<void>
  }
  export default function createTestnet(size: number, options?: { host?: string }): Promise<Testnet>
}

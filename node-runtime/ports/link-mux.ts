/** What one Hypercore may be, on the wire: what a peer says beyond that is refused. */
export interface CoreLimits {
  /** Blocks that the core can have at most; of a static one, that it has. */
  maxBlocks: number
  maxBlockBytes: number
}

/**
 * A link as stores see it that replicate Hypercores over it. Such a core is replicated only over links
 * that allow it: who wants one that is not allowed is told that it is not here.
 */
export interface LinkMux {
  /** From now on, until `forgetCore` or the end of the link. Before `core.replicate(mux)`. */
  allowCore(discoveryKey: Uint8Array, limits: CoreLimits): void
  forgetCore(discoveryKey: Uint8Array): void
  /** Calls once, when the link has ended. */
  onClosed(listener: () => void): void
}

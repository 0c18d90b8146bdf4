// The one interface under every transport: something that takes messages and gives messages.

/** A message on the wire, as the RPC library encodes it. */
export type WireMessage = string | ArrayBufferLike | Uint8Array

/**
 * One end of a transport, in the shape that Electron's MessagePortMain and Node's MessagePort have.
 * A DOM MessagePort fits as it is; other transports are adapted in `transports/`.
 */
export interface RpcPort {
  postMessage(message: WireMessage): void
  on(event: 'message', listener: (event?: { data: WireMessage }) => void): void
  on(event: 'close', listener: () => void): void
  /** What was posted and waits for the reader, where that can be known. */
  unsentBytes?(): number
  /**
   * Takes nothing in until `resume`, so that whoever sends has to wait, where a transport can do that.
   * What has arrived already may still come.
   */
  pause?(): void
  resume?(): void
}

/** What `serve` and `connect` take. A DOM port must be started by its owner. */
export type AnyPort = RpcPort | Pick<MessagePort, 'addEventListener' | 'postMessage'>

/** Listens on either kind of port. Data is whatever the other end sent: nothing is checked yet. */
export function listen(
  port: AnyPort,
  { message, close }: { message: (data: unknown) => void; close: () => void },
): void {
  if ('addEventListener' in port) {
    port.addEventListener('message', (event) => message((event as MessageEvent<unknown>).data))
    port.addEventListener('close', close)
  } else {
    port.on('message', (event) => message(event?.data))
    port.on('close', close)
  }
}

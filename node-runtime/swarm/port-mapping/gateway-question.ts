// One question to the router over UDP, and the answer to it. The system itself hands over only what comes from the
// address and port that was asked.
import { createSocket } from 'node:dgram'

/** After so many that are no answer it is nobody worth listening to. */
const MOST_READ = 32

export interface GatewayQuestion<T> {
  host: string
  port: number
  /** Of this computer, from which it is asked. */
  ownHost: string
  question: Uint8Array
  /** Null for what is no answer to this question. */
  read: (bytes: Uint8Array) => T | null
  /** How long each time, before it is asked again. */
  waitsMs: readonly number[]
  signal: AbortSignal
}

/** Null if the router does not answer, or nothing that can be understood. Never rejects. */
export function askGateway<T>(options: GatewayQuestion<T>): Promise<T | null> {
  const { host, port, ownHost, question, read, signal } = options
  return new Promise((resolve) => {
    const waitsMs = [...options.waitsMs]
    const socket = createSocket('udp4')
    let timer: NodeJS.Timeout | undefined
    let heard = 0
    let ended = false
    const end = (answer: T | null): void => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.close()
      resolve(answer)
    }
    const abort = (): void => end(null)
    const ask = (): void => {
      const waitMs = waitsMs.shift()
      if (waitMs === undefined) return end(null)
      timer = setTimeout(ask, waitMs)
      socket.send(question)
    }
    // That the port is closed is said as an error, too.
    socket.on('error', () => end(null))
    socket.on('message', (bytes) => {
      const answer = read(bytes)
      if (answer !== null || ++heard >= MOST_READ) end(answer)
    })
    if (signal.aborted) return end(null)
    signal.addEventListener('abort', abort)
    socket.bind(0, ownHost, () => {
      if (!ended) socket.connect(port, host, () => !ended && ask())
    })
  })
}

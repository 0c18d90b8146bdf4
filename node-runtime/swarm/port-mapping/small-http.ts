// One exchange with the router over HTTP: to its own address and nowhere else, short, small, and without redirects.
import { request } from 'node:http'

/** From the connection to the last byte. */
const WITHIN_MS = 3_000
/** Descriptions of routers are 3 to 20 kB. */
const MAX_BODY_BYTES = 64 * 1_024
const MAX_HEADER_BYTES = 8 * 1_024

export interface SmallRequest {
  /** Its host is an address. */
  url: URL
  /** Of this computer, from which it is asked. */
  ownHost: string
  headers?: Record<string, string>
  /** It is posted; else the URL is gotten. */
  body?: string
  signal: AbortSignal
}

/**
 * Null for whatever is not answered in full and in time: errors of the connection, redirects, more than is allowed.
 * Never rejects.
 */
export function fetchSmall({
  url,
  ownHost,
  headers,
  body,
  signal,
}: SmallRequest): Promise<{ status: number; text: string } | null> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)])
  return new Promise((resolve) => {
    const asked = request(
      {
        host: url.hostname,
        port: url.port === '' ? 80 : Number(url.port),
        path: `${url.pathname}${url.search}`,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...headers,
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          connection: 'close',
        },
        agent: false,
        localAddress: ownHost,
        maxHeaderSize: MAX_HEADER_BYTES,
        signal: within,
      },
      (answer) => {
        const parts: Buffer[] = []
        let size = 0
        const { statusCode: status = 0 } = answer
        // Whoever answers by another place, or by a fault that is none of UPnP's, is not listened to.
        if (status !== 200 && status !== 500) asked.destroy()
        answer.on('data', (part: Buffer) => {
          size += part.byteLength
          if (size > MAX_BODY_BYTES) asked.destroy()
          else parts.push(part)
        })
        answer.on('end', () => {
          if (answer.complete) resolve({ status, text: Buffer.concat(parts).toString('utf8') })
        })
      },
    )
    asked.on('error', () => resolve(null))
    // After an answer in full it is resolved already.
    asked.on('close', () => resolve(null))
    asked.end(body)
  })
}

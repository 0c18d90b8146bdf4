// The HTTP under git's smart protocol: nothing here can hang, grow without bound, or be led to an
// address that is not http(s).
import type { GitHttpRequest, GitHttpResponse, HttpClient } from 'isomorphic-git'
import { CloudError } from '../../contract/errors.ts'
import { createTransferGuard } from './transfer-guard.ts'
import type { TransferLimits } from './transfer-guard.ts'

/** As many as browsers follow is more than any git host needs. */
const MAX_REDIRECTS = 5

export interface GitHttp extends HttpClient {
  /** For how long the server asked not to be asked again, s; null if it did not. */
  readonly retryAfterS: number | null
  /** Why a request failed, in our words; the git library has its own. */
  readonly failure: CloudError | undefined
  /** Settles, with an error, only if time is up. */
  readonly expired: Promise<never>
  /** Ends whatever is still under way. */
  close(): void
}

/** A client for one fetch. Close it when done. */
export function createGitHttp(url: string, limits: TransferLimits): GitHttp {
  const guard = createTransferGuard(
    limits,
    (why) => unreachable(url, 'timeout', why),
    (error) => connectionError(url, error),
  )
  const { fail, beforeSilence } = guard
  let retryAfterS: number | null = null
  /** What the server moved the repository to, as git's own client does it. */
  let movedTo: string | undefined

  async function send(request: GitHttpRequest, body: Uint8Array | undefined): Promise<Response> {
    let target = movedTo === undefined ? request.url : request.url.replace(url, movedTo)
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const response = await beforeSilence(
        fetch(target, {
          method: request.method ?? 'GET',
          headers: headersFor(request, target),
          redirect: 'manual',
          signal: guard.signal,
          credentials: 'omit',
          ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
        }),
      )
      const location = response.headers.get('location')
      const pause = Number(response.headers.get('retry-after') ?? Number.NaN)
      if (response.status >= 400 && pause >= 0) retryAfterS = pause
      if (response.status < 300 || response.status > 399 || location === null) return response
      await response.body?.cancel()
      target = redirectTarget(url, target, location, body !== undefined)
      const suffix = request.url.slice(url.length)
      if (target.endsWith(suffix)) movedTo = target.slice(0, -suffix.length)
    }
    throw unreachable(url, 'redirects', `the server redirected more than ${MAX_REDIRECTS} times`)
  }

  async function* receive(response: Response): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader()
    if (reader === undefined) return
    try {
      for (;;) {
        const { value, done } = await beforeSilence(reader.read())
        if (done) return
        guard.received(value.byteLength)
        yield value
      }
    } finally {
      await reader.cancel().catch(() => undefined)
    }
  }

  return {
    get retryAfterS() {
      return retryAfterS
    },
    get failure() {
      return guard.failure
    },
    expired: guard.expired,
    close: () => guard.close(),
    async request(request: GitHttpRequest): Promise<GitHttpResponse> {
      try {
        const body = request.body === undefined ? undefined : await collect(request.body)
        const response = await send(request, body)
        return {
          url: response.url,
          method: request.method ?? 'GET',
          statusCode: response.status,
          statusMessage: response.statusText,
          headers: Object.fromEntries(response.headers),
          body: receive(response),
        }
      } catch (error) {
        throw error instanceof CloudError ? fail(error) : error
      }
    },
  }
}

/** Who may write somewhere is no business of whom that sends us to. */
function headersFor({ url, headers = {} }: GitHttpRequest, target: string): Record<string, string> {
  if (new URL(target).origin === new URL(url).origin) return headers
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  )
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function redirectTarget(url: string, from: string, location: string, hasBody: boolean): string {
  const target = URL.canParse(location, from) ? new URL(location, from) : null
  const isWeb = target?.protocol === 'http:' || target?.protocol === 'https:'
  const isDowngrade = from.startsWith('https:') && target?.protocol === 'http:'
  const hasCredentials = target !== null && (target.username !== '' || target.password !== '')
  // Like git itself: only the first request may be sent elsewhere.
  if (target === null || !isWeb || isDowngrade || hasCredentials || hasBody) {
    throw unreachable(url, 'redirects', 'the server redirected to an address that is not accepted')
  }
  return target.href
}

/**
 * The error of a repository that gave no usable answer.
 * @param reason  for programs
 * @param why     for people: ends the sentence
 */
export function unreachable(
  url: string,
  reason: string,
  why: string,
  more: object = {},
): CloudError {
  return new CloudError('REPO_UNREACHABLE', `The repository can't be reached: ${why}.`, {
    url,
    reason,
    ...more,
  })
}

const SYSTEM_CODES: Record<string, [reason: string, why: string]> = {
  ECONNREFUSED: ['refused', 'the server does not accept connections'],
  ENOTFOUND: ['dns', 'its host name is not known, or this machine is offline'],
  EAI_AGAIN: ['dns', 'its host name can not be looked up, or this machine is offline'],
  ETIMEDOUT: ['timeout', 'the server does not answer'],
  UND_ERR_CONNECT_TIMEOUT: ['timeout', 'the server does not answer'],
  ECONNRESET: ['broken-off', 'the server broke the connection off'],
  UND_ERR_SOCKET: ['broken-off', 'the server broke the connection off'],
  EHOSTUNREACH: ['network', 'the server is in a network that this machine does not reach'],
  ENETUNREACH: ['network', 'the server is in a network that this machine does not reach'],
}

function connectionError(url: string, error: unknown): CloudError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? `${cause.code}` : ''
  const text = cause instanceof Error && cause.message !== '' ? cause.message : String(error)
  const [reason, why] = SYSTEM_CODES[code] ?? ['network', `the server could not be asked (${text})`]
  return unreachable(url, reason, why, code === '' ? {} : { systemCode: code })
}

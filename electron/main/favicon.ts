// A page's small picture as data, because the shell's page may load nothing from the web. Whoever
// serves it may be hostile: no picture takes more memory, time or turns than a small picture does.
import type { Session } from 'electron'
import type { PageOwner } from './navigation.ts'
import { originOf, ownOrigin } from './navigation.ts'

const MAX_BYTES = 65_536
const TIMEOUT_MS = 5_000
/** Of one window. Pictures are small and nobody waits for them. */
const PARALLEL = 4
/** A page that changes its picture all the time gets one look in this time. */
const LOOK_AGAIN_MS = 1_000
const TYPES = /^image\/(png|jpeg|gif|webp|svg\+xml|x-icon|vnd\.microsoft\.icon)$/

type Load = Session['fetch']

/** Lets a few pieces of work run at once; the others wait for their turn. */
export class Turns {
  readonly #most: number
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(most = PARALLEL) {
    this.#most = most
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}

/** Reads a body up to the limit; null if it is longer. */
async function readUpTo(body: ReadableStream<Uint8Array>, most: number): Promise<Buffer | null> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    sizeBytes += value.length
    if (sizeBytes > most) return null
    chunks.push(value)
  }
}

/**
 * Fetches a picture as the page would have; null if there is none to show. Never holds more than one
 * chunk above the size of a small picture.
 */
export async function fetchFavicon(
  load: Load,
  url: string,
  signal: AbortSignal,
): Promise<string | null> {
  if (signal.aborted) return null
  const done = new AbortController()
  try {
    const response = await load(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS), done.signal]),
      credentials: 'omit',
      bypassCustomProtocolHandlers: false,
    })
    const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
    const announced = Number(response.headers.get('content-length') ?? 0)
    if (!response.ok || !TYPES.test(type) || announced > MAX_BYTES || response.body === null) {
      return null
    }
    const bytes = await readUpTo(response.body, MAX_BYTES)
    return bytes === null ? null : `data:${type};base64,${bytes.toString('base64')}`
  } catch {
    // Not there, too slow, or given up: a page without a picture is nothing to report.
    return null
  } finally {
    // Ends the connection of what was not read to its end; to leave the body alone does not.
    done.abort()
  }
}

/** May the picture at this address be fetched for a page of this owner? Pure. */
export function mayFetchFavicon(owner: PageOwner, url: string): boolean {
  if (owner.kind === 'web') return /^https?:/.test(url)
  // A system reaches only what is its own, also with its picture.
  return originOf(url) === ownOrigin(owner)
}

export interface FaviconOptions {
  owner: PageOwner
  load: Load
  turns: Turns
  found: (favicon: string | null) => void
}

/** The picture of one page: at most one is on its way, and of those named meanwhile the last counts. */
export class Favicon {
  readonly #options: FaviconOptions
  #wanted: string | null = null
  #current: AbortController | null = null

  constructor(options: FaviconOptions) {
    this.#options = options
  }

  /** The page named its picture. */
  want(url: string): void {
    const { owner, found } = this.#options
    if (url.startsWith('data:image/')) {
      this.#wanted = null
      if (url.length <= MAX_BYTES) found(url)
      return
    }
    if (!mayFetchFavicon(owner, url)) return
    this.#wanted = url
    if (this.#current === null) void this.#follow()
  }

  /** The page is another one, or gone: what was wanted for it counts no more. */
  forget(): void {
    this.#wanted = null
    this.#current?.abort()
  }

  async #follow(): Promise<void> {
    const { load, turns, found } = this.#options
    while (this.#wanted !== null) {
      const url = this.#wanted
      this.#wanted = null
      const own = new AbortController()
      this.#current = own
      const favicon = await turns.run(() => fetchFavicon(load, url, own.signal))
      if (!own.signal.aborted) {
        found(favicon)
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
      }
    }
    this.#current = null
  }
}

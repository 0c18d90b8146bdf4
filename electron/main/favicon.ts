// A web page's small picture as data, because the shell's page may load nothing from the web.
import type { Session } from 'electron'

const MAX_BYTES = 65_536
const TIMEOUT_MS = 5_000
const TYPES = /^image\/(png|jpeg|gif|webp|svg\+xml|x-icon|vnd\.microsoft\.icon)$/

/** Fetches the picture as the page would have; null if there is none to show. */
export async function fetchFavicon(session: Session, url: string): Promise<string | null> {
  if (url.startsWith('data:image/') && url.length <= MAX_BYTES) return url
  if (!/^(https?|cloud):/.test(url)) return null
  try {
    const response = await session.fetch(url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      credentials: 'omit',
      bypassCustomProtocolHandlers: false,
    })
    const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
    if (!response.ok || !TYPES.test(type)) return null
    if (Number(response.headers.get('content-length') ?? 0) > MAX_BYTES) return null
    const bytes = Buffer.from(await response.arrayBuffer())
    return bytes.length > MAX_BYTES ? null : `data:${type};base64,${bytes.toString('base64')}`
  } catch {
    return null
  }
}

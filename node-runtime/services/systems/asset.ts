// What a system's own origin serves: its files, types stripped, and what the host provides, all
// under headers that keep the page to itself.
import { lookup } from 'mrmime'
import { isTypeScript } from './manifest.ts'
import { decodeSegments } from './path-segments.ts'

/** Everything under this belongs to the host; a repository can't shadow it. */
const HOST_FOLDER = '.dharma'
const SDK_FILES = new Set(['sdk.js', 'lit.js', 'theme.css'])

/** Where a system's origin serves the icon, which may lie outside its web root. */
export const ICON_ADDRESS = `/${HOST_FOLDER}/icon`

/** One answer of a system's origin. `headers` leaves out the content type. */
export interface Asset {
  contentType: string
  headers: Record<string, string>
  body: Uint8Array
}

/** What an address stands for. */
export type AssetTarget =
  | { kind: 'file'; path: string }
  | { kind: 'sdk'; name: string }
  | { kind: 'none' }

const DENIED_FEATURES = [
  'accelerometer',
  'camera',
  'clipboard-read',
  'display-capture',
  'geolocation',
  'gyroscope',
  'hid',
  'idle-detection',
  'local-fonts',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'usb',
  'window-management',
  'xr-spatial-tracking',
]

/**
 * The security headers of every answer of a system's origin.
 * @param frameAncestors  the shell's origin where systems run in its frames; by default none
 */
export function buildSystemHeaders(frameAncestors = "'none'"): Record<string, string> {
  return {
    'content-security-policy': [
      "default-src 'self'",
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data: blob:",
      "connect-src 'self'",
      "form-action 'none'",
      "base-uri 'self'",
      "object-src 'none'",
      `frame-ancestors ${frameAncestors}`,
    ].join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'permissions-policy': DENIED_FEATURES.map((feature) => `${feature}=()`).join(', '),
    'x-dns-prefetch-control': 'off',
    // An update changes what is at an address.
    'cache-control': 'no-cache',
  }
}

/**
 * What a path of the system's address stands for. Never anything outside the given files.
 * @param address  as in the URL, percent-encoded
 * @param entry    the manifest's `ui`; its folder is the web root
 */
export function resolveAddress(
  address: string,
  { entry, icon, has }: { entry: string; icon: string | undefined; has(path: string): boolean },
): AssetTarget {
  const segments = decodeSegments(address)
  if (segments === null) return { kind: 'none' }
  if (segments[0] === HOST_FOLDER) {
    const name = segments.slice(1).join('/')
    if (SDK_FILES.has(name)) return { kind: 'sdk', name }
    return name === 'icon' && icon !== undefined ? { kind: 'file', path: icon } : { kind: 'none' }
  }
  const root = entry.slice(0, entry.lastIndexOf('/') + 1)
  const path = root + segments.join('/')
  if (segments.length > 0 && has(path)) return { kind: 'file', path }
  // Pages of a single-page app have addresses, but no files.
  const isPage = !/\.[a-z0-9]{1,8}$/i.test(segments.at(-1) ?? '')
  return isPage ? { kind: 'file', path: entry } : { kind: 'none' }
}

/** The content type by the name of a file. TypeScript is served as the JavaScript it becomes. */
export function contentTypeOf(path: string): string {
  const type = isTypeScript(path) ? 'text/javascript' : lookup(path)
  if (type === undefined) return 'application/octet-stream'
  return /^text\/|javascript|json|\+xml/.test(type) ? `${type}; charset=utf-8` : type
}

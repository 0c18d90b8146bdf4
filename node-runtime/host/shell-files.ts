// The shell's page and its files, as the daemon serves them, and the headers they go under.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lookup } from 'mrmime'
import { decodeSegments } from '../services/systems/path-segments.ts'

export interface ShellFile {
  contentType: string
  body: Uint8Array
}

/**
 * A file of the built renderer by the path of an address; null if there is none. Never anything
 * outside of `folder`.
 */
export async function readShellFile(folder: string, address: string): Promise<ShellFile | null> {
  const segments = decodeSegments(address)
  if (segments === null) return null
  const path = segments.length === 0 ? 'index.html' : segments.join('/')
  try {
    const type = lookup(path) ?? 'application/octet-stream'
    const body = await readFile(join(folder, path))
    return { contentType: type.startsWith('text/') ? `${type}; charset=utf-8` : type, body }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return null
    throw error
  }
}

/**
 * What the shell's page may do: run its own scripts only, talk to this server only, and hold systems
 * and web pages in frames.
 * @param authority  host and port of the shell
 * @param systems    authority pattern of the systems' origins
 */
export function buildShellHeaders(authority: string, systems: string): Record<string, string> {
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self' 'unsafe-inline'",
      `img-src 'self' data: blob: http://${systems}`,
      "font-src 'self'",
      `connect-src 'self' ws://${authority}`,
      `frame-src http://${systems} http: https:`,
      "base-uri 'none'",
      "form-action 'none'",
      "object-src 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'x-content-type-options': 'nosniff',
    // The address holds the token when the page is opened.
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-cache',
  }
}

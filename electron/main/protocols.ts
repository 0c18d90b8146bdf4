// Serves `cloud://`: the shell's page in its session, each system in its own, nobody else's.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Session } from 'electron'
import { lookup } from 'mrmime'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import type { Client } from '../../node-runtime/rpc/client.ts'
import { SHELL_HEADERS } from './security-headers.ts'

/** Must be registered before the app is ready. */
export const CLOUD_SCHEME: Electron.CustomScheme = {
  scheme: 'cloud',
  privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
}

function refuse(status: number, message: string): Response {
  return new Response(message, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  })
}

/** The file under `root` that the path names; null if it names none inside of it. Pure. */
export function resolveFile(root: string, pathname: string): string | null {
  let decoded: string
  try {
    decoded = decodeURIComponent(pathname)
  } catch {
    return null
  }
  if (decoded.includes('\0') || decoded.includes('\\')) return null
  const file = path.join(root, decoded === '/' ? 'index.html' : decoded)
  return file.startsWith(root + path.sep) ? file : null
}

/** Answers requests for `cloud://dharma/` from the folder of the bundled renderer. */
export function serveShell(session: Session, root: string): void {
  session.protocol.handle('cloud', async ({ url, method }) => {
    const { hostname, pathname } = new URL(url)
    if (hostname !== 'dharma') return refuse(403, 'Not here.')
    if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'Only reading.')
    const file = resolveFile(root, pathname)
    if (file === null) return refuse(404, 'Not found.')
    try {
      const body = await readFile(file)
      const type = lookup(file) ?? 'application/octet-stream'
      const charset = /^text\/|javascript|json/.test(type) ? '; charset=utf-8' : ''
      return new Response(body, { headers: { ...SHELL_HEADERS, 'content-type': type + charset } })
    } catch (error) {
      const missing = ['ENOENT', 'EISDIR', 'ENOTDIR'].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      )
      if (!missing) throw error
      return refuse(404, 'Not found.')
    }
  })
}

function refuseFor(error: unknown): Response {
  if (!(error instanceof CloudError)) throw error
  const missing = error.code === 'SYSTEM_FILE_NOT_FOUND' || error.code === 'SYSTEM_NOT_INSTALLED'
  return refuse(missing ? 404 : 503, error.message)
}

/** Answers requests for `cloud://<system>/` with what the runtime has installed. */
export function serveSystem(
  session: Session,
  system: string,
  openClient: () => Promise<Client>,
): void {
  session.protocol.handle('cloud', async ({ url, method }) => {
    const { hostname, pathname } = new URL(url)
    if (hostname !== system) return refuse(403, 'A system can reach only what is its own.')
    if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'Only reading.')
    try {
      const client = await openClient()
      const asset = await client.systems.asset({ system, path: pathname })
      return new Response(Buffer.from(asset.bodyBase64, 'base64'), {
        headers: { ...asset.headers, 'content-type': asset.contentType },
      })
    } catch (error) {
      return refuseFor(error)
    }
  })
}

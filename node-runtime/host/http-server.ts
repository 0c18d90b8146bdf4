// The daemon's server, on the loopback address only: the shell's page, the origins of systems, and the
// WebSocket for calls.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { CloudError } from '../contract/errors.ts'
import { systemIdSchema } from '../contract/values.ts'
import type { Log } from '../ports/log.ts'
import type { Caller } from '../rpc/caller.ts'
import type { AnyPort, WireMessage } from '../rpc/port.ts'
import { webSocketPort } from '../rpc/transports/web-socket.ts'
import { buildSystemHeaders } from '../services/systems/asset.ts'
import type { SystemStore } from '../services/systems/system-store.ts'
import { AccessRules } from './access.ts'
import { gatherWrites } from './gathered-writes.ts'
import { buildShellHeaders, readShellFile } from './shell-files.ts'

/**
 * The largest message that is taken from the wire. A system's frame that is only somewhat too large
 * still comes in, to be refused in words (see `rpc/budget.ts`); beyond, the socket closes.
 */
const MAX_MESSAGE_BYTES = { owner: 16 * 1024 * 1024, system: 4 * 1024 * 1024 }
/** Sockets of one caller: a page has one, and nobody opens as many pages of one system. */
const MAX_SOCKETS = 64
/** As Node has it; a browser on this computer sends less than a tenth. */
const MAX_HEADER_BYTES = 16 * 1024
/** On this computer a request is there at once; whoever takes longer only holds a connection. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const TOKEN_BYTES = 32

export interface HttpServerOptions {
  /** 0 takes a free one. */
  port: number
  /** The built renderer. */
  shellDir: string
  serve: (port: AnyPort, caller: Caller) => void
  systems: Pick<SystemStore, 'asset' | 'get' | 'hasPermission'>
  log: Log
}

export interface HttpServer {
  port: number
  token: string
  /** What a person opens: the shell's page, with the token. */
  url: string
  close(): Promise<void>
}

/** Why a WebSocket is not opened. */
interface Refusal {
  status: string
  text: string
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }

/**
 * With an answer from the origin of a system that is not installed: what its pages kept in this browser
 * goes. The window asks for one when a system was uninstalled; see `renderer/client/frame-storage.ts`.
 */
const FORGET = { 'clear-site-data': '"cache", "cookies", "storage"' }

const HOW_TO_OPEN = `This is Dharma, and it opens only with its full address.

If it was open here before, it has been started again since: each start has an address
of its own. Open the one that "dharma up" printed when it started. It ends with a token
that proves that you are the one who started it. To see it again, run "dharma up" with
the same options once more: it names the address of the one that is running.
`

function splitUrl(url = '/'): { path: string; query: URLSearchParams } {
  const [path = '/', ...rest] = url.split('?')
  return { path, query: new URLSearchParams(rest.join('?')) }
}

/** Starts the server. @throws CloudError PORT_IN_USE */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { shellDir, serve, systems, log } = options
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  })
  const port = await listenOn(server, options.port)
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const access = new AccessRules(port, token)
  const shellHeaders = buildShellHeaders(access.authority, access.systemAuthorities)
  const systemHeaders = buildSystemHeaders(access.origin)

  function refuse(
    response: ServerResponse,
    status: number,
    text: string,
    headers: Record<string, string> = {},
  ): void {
    response.writeHead(status, { ...PLAIN, ...headers }).end(text)
  }

  async function answerShell(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = splitUrl(request.url)
    const file = await readShellFile(shellDir, path)
    if (file === null) return refuse(response, 404, 'There is no such page.')
    const headers: Record<string, string> = { ...shellHeaders }
    if (file.contentType.startsWith('text/html')) {
      if (access.isToken(query.get('token'))) headers['set-cookie'] = access.pageCookieHeader
      else if (query.has('token') || !access.hasPageCookie(request)) {
        return refuse(response, 403, HOW_TO_OPEN)
      }
    }
    response.writeHead(200, { ...headers, 'content-type': file.contentType })
    response.end(request.method === 'HEAD' ? undefined : file.body)
  }

  async function answerSystem(
    system: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    // It would answer in our place from then on, without our headers, even when uninstalled.
    if (request.headers['service-worker'] !== undefined) {
      return refuse(response, 403, 'A system cannot have a service worker.')
    }
    if (systems.get(system) === undefined) {
      return refuse(response, 404, `"${system}" is not installed on this machine.`, FORGET)
    }
    const asset = await systems.asset(system, splitUrl(request.url).path)
    response.writeHead(200, {
      ...asset.headers,
      ...systemHeaders,
      'content-type': asset.contentType,
    })
    response.end(request.method === 'HEAD' ? undefined : asset.body)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const site = access.siteOf(request)
    if (site === null) return refuse(response, 403, 'This server does not answer to that name.')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return refuse(response, 405, 'Only GET and HEAD.')
    }
    if (!request.url?.startsWith('/')) return refuse(response, 400, 'Not a path.')
    if (site.kind === 'system') return answerSystem(site.system, request, response)
    if (site.kind === 'shell') return answerShell(request, response)
    // One origin only, the one that calls are allowed from.
    response.writeHead(308, { ...PLAIN, location: access.origin + request.url }).end()
  }

  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => {
      const isMissing =
        error instanceof CloudError &&
        ['SYSTEM_NOT_INSTALLED', 'SYSTEM_FILE_NOT_FOUND'].includes(error.code)
      // Without the query: it may hold the token.
      const { path } = splitUrl(request.url)
      if (!isMissing) log.error('a page could not be served', { path, error })
      if (response.headersSent) response.destroy()
      else if (isMissing) refuse(response, 404, (error as CloudError).message)
      else refuse(response, 500, 'Something went wrong inside Dharma.')
    })
  })

  const socketsFor = (kind: Caller['kind']): WebSocketServer =>
    new WebSocketServer({
      noServer: true,
      maxPayload: MAX_MESSAGE_BYTES[kind],
      // The token is the other one that the client names; it is never sent back.
      handleProtocols: () => 'dharma',
    })
  const sockets = { owner: socketsFor('owner'), system: socketsFor('system') }
  const socketCounts = new Map<string, number>()

  /** Why a WebSocket is refused, or in whose name its calls are made. */
  function admit(request: IncomingMessage): Caller | Refusal {
    const site = access.siteOf(request)
    const { path, query } = splitUrl(request.url)
    if (site === null) return { status: '403 Forbidden', text: 'Not a name of this server.' }
    if (site.kind === 'system' || path !== '/rpc') {
      return { status: '404 Not Found', text: 'Nothing here takes calls.' }
    }
    if (!access.isOriginAllowed(request)) {
      return { status: '403 Forbidden', text: 'Calls from that page are not allowed.' }
    }
    if (!access.hasSocketToken(request)) {
      return { status: '401 Unauthorized', text: 'The token is missing or wrong.' }
    }
    const id = query.get('system')
    if (id === null) return { kind: 'owner' }
    const system = systemIdSchema.safeParse(id)
    if (!system.success || systems.get(system.data) === undefined) {
      return { status: '404 Not Found', text: 'No such system is installed.' }
    }
    return {
      kind: 'system',
      system: system.data,
      hasPermission: (permission) => systems.hasPermission(system.data, permission),
    }
  }

  function refuseSocket(socket: Duplex, { status, text }: Refusal): void {
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
        `connection: close\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    )
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const caller = admit(request)
    if ('status' in caller) return refuseSocket(socket, caller)
    const name = caller.kind === 'owner' ? '' : caller.system
    const count = socketCounts.get(name) ?? 0
    if (count >= MAX_SOCKETS) {
      return refuseSocket(socket, { status: '503 Service Unavailable', text: 'Too many sockets.' })
    }
    sockets[caller.kind].handleUpgrade(request, socket, head, (webSocket) => {
      socketCounts.set(name, (socketCounts.get(name) ?? 0) + 1)
      webSocket.once('close', () => {
        const left = (socketCounts.get(name) ?? 0) - 1
        if (left > 0) socketCounts.set(name, left)
        else socketCounts.delete(name)
      })
      const port = webSocketPort(webSocket)
      const gather = gatherWrites(socket)
      const answer = (message: WireMessage): void => {
        gather()
        port.postMessage(message)
      }
      serve({ ...port, postMessage: answer }, caller)
    })
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    try {
      upgrade(request, socket, head)
    } catch (error) {
      log.error('a socket could not be opened', { error })
      socket.destroy()
    }
  })
  // Such as no more files to be had: the next connection may find one.
  server.on('error', (error) => log.error('the server failed', { error }))

  return {
    port,
    token,
    url: `${access.origin}/?token=${token}`,
    async close() {
      for (const { clients } of Object.values(sockets)) {
        for (const client of clients) client.terminate()
      }
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function listenOn(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES'
      reject(
        isTaken
          ? new CloudError('PORT_IN_USE', `Port ${port} is not free. Choose another, or none.`, {
              port,
            })
          : error,
      )
    })
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { CloudError } from '../contract/errors.ts'
import { contract } from '../contract/index.ts'
import { createCallerCheck, noSessions, os } from '../rpc/caller.ts'
import type { CallContext, Caller } from '../rpc/caller.ts'
import { connect } from '../rpc/client.ts'
import { createServer } from '../rpc/server.ts'
import { webSocketPort } from '../rpc/transports/web-socket.ts'
import { startHttpServer } from './http-server.ts'
import type { HttpServer } from './http-server.ts'

const SYSTEM = 'org.example.notes'
const key = 'y'.repeat(52)

let folder: string
let server: HttpServer
let authority: string
let shell: string
const callers: Caller[] = []
const logged: string[] = []
const note = (message: string): void => void logged.push(message)

const serve = createServer<CallContext>(
  {
    identity: {
      whoami: os.identity.whoami.handler(() => ({ person: key, machine: key, name: 'Ada' })),
      rename: os.identity.rename.handler(() => ({})),
    },
  },
  { access: createCallerCheck(noSessions), onInternalError: () => undefined },
)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dharma-shell-'))
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Dharma</title>')
  await writeFile(join(folder, 'app.js'), 'export {}')
  await writeFile(join(folder, '..', `${folder.split('/').at(-1)}.secret`), 'secret')
  server = await startHttpServer({
    port: 0,
    shellDir: folder,
    log: { info: note, warn: note, error: note },
    serve: (port, caller) => {
      callers.push(caller)
      serve(port, { caller })
    },
    systems: {
      get: (id) => (id === SYSTEM ? ({ id } as never) : undefined),
      hasPermission: (id, permission) => id === SYSTEM && permission === 'identity',
      asset: async (id, address) => {
        if (id !== SYSTEM) throw new CloudError('SYSTEM_NOT_INSTALLED', 'Not installed.')
        if (address === '/broken') throw new Error('secret reason')
        if (address !== '/') throw new CloudError('SYSTEM_FILE_NOT_FOUND', 'No such file.')
        return {
          contentType: 'text/html; charset=utf-8',
          headers: { 'content-security-policy': "frame-ancestors 'none'", 'x-extra': '1' },
          body: Buffer.from('<title>Notes</title>'),
        }
      },
    },
  })
  authority = `127.0.0.1:${server.port}`
  shell = `http://${authority}`
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
  await rm(`${folder}.secret`)
})
beforeEach(() => {
  callers.length = 0
  logged.length = 0
})

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** A request as written: the path is not normalised and the Host header is whatever is given. */
async function send(
  path: string,
  { host = authority, method = 'GET', headers = {} }: SendOptions = {},
): Promise<Answer> {
  const outgoing = request({
    host: '127.0.0.1',
    port: server.port,
    path,
    method,
    headers: { ...headers, host },
    agent: false,
  })
  outgoing.end()
  const [response] = await once(outgoing, 'response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, headers: response.headers, body }
}
interface SendOptions {
  host?: string
  method?: string
  headers?: Record<string, string>
}

interface SocketOptions {
  path?: string
  host?: string
  origin?: string
  protocols?: string[]
}

function openSocket({ path = '/rpc', host, origin, protocols }: SocketOptions = {}): WebSocket {
  return new WebSocket(`ws://${authority}${path}`, protocols ?? ['dharma', server.token], {
    headers: {
      ...(host === undefined ? {} : { host }),
      ...(origin === undefined ? {} : { origin }),
    },
  })
}

/** The status with which a WebSocket is refused; 101 if it is let in. */
async function knock(options: SocketOptions): Promise<number> {
  const socket = openSocket(options)
  const status = await new Promise<number>((resolve, reject) => {
    socket.on('open', () => resolve(101))
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.on('error', reject)
  })
  socket.on('error', () => undefined)
  socket.terminate()
  return status
}

describe('the page', () => {
  test('opens with the token, under strict headers, and sets what reloading needs', async () => {
    const answer = await send(new URL(server.url).pathname + new URL(server.url).search)
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('Dharma')
    const policy = String(answer.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain(`frame-src http://*.localhost:${server.port} http: https:`)
    expect(policy).toContain("frame-ancestors 'none'")
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
    const cookie = String(answer.headers['set-cookie'])
    expect(cookie).toContain('HttpOnly')
    expect(cookie).not.toContain(server.token)
    const reloaded = await send('/', { headers: { cookie: cookie.split(';')[0]! } })
    expect(reloaded.status).toBe(200)
  })

  test.each(['/', '/index.html', '//', '/index.html/', '/?token=', '/?token=wrong', '/?x=1'])(
    'without the token says how to open it: %s',
    async (path) => {
      const answer = await send(path)
      expect(answer.status).toBe(403)
      expect(answer.headers['content-type']).toContain('text/plain')
      expect(answer.body).toContain('dharma up')
    },
  )

  test('a wrong cookie does not open it', async () => {
    const headers = { cookie: `dharma-page-${server.port}=${server.token}` }
    expect((await send('/', { headers })).status).toBe(403)
  })

  test('its files have their types', async () => {
    const answer = await send('/app.js')
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toContain('text/javascript')
    expect((await send('/app.js', { method: 'HEAD' })).body).toBe('')
  })

  test('what does not exist is 404 in plain text', async () => {
    for (const path of ['/nothing.js', '/app.js/x', '/rpc', '/%E0%A4%A']) {
      const answer = await send(path)
      expect([path, answer.status]).toEqual([path, 404])
    }
  })

  test('nothing outside its folder can be had', async () => {
    const name = `${folder.split('/').at(-1)}.secret`
    const paths = [
      `/../${name}`,
      `/%2e%2e/${name}`,
      `/..%2f${name}`,
      `/x/../../${name}`,
      `//../${name}`,
      `/..%5c${name}`,
      `/app.js%00${name}`,
      `/${encodeURIComponent(`${folder}.secret`)}`,
    ]
    for (const path of paths) {
      const answer = await send(path)
      expect([path, answer.status]).toEqual([path, 404])
      expect(answer.body).not.toContain('secret')
    }
  })

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is refused', async (method) => {
    const answer = await send('/', { method })
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, HEAD')
  })
})

describe('the Host header', () => {
  test('a stranger’s name gets nothing, even if it leads here', async () => {
    const names = [
      'evil.example',
      `evil.example:${server.port}`,
      '127.0.0.1',
      `127.0.0.1:${server.port + 1}`,
      `localhost.evil.example:${server.port}`,
      `${authority}.evil.example`,
      `[::1]:${server.port}`,
      `0.0.0.0:${server.port}`,
      `.localhost:${server.port}`,
      `a_b.localhost:${server.port}`,
    ]
    for (const host of names) {
      const answer = await send(`/?token=${server.token}`, { host })
      expect([host, answer.status]).toEqual([host, 403])
      expect([host, await knock({ host })]).toEqual([host, 403])
    }
  })

  test('localhost is sent on to the one origin', async () => {
    const answer = await send('/?token=x', { host: `localhost:${server.port}` })
    expect(answer.status).toBe(308)
    expect(answer.headers.location).toBe(`${shell}/?token=x`)
  })
})

describe('a system’s origin', () => {
  const host = (): string => `${SYSTEM}.localhost:${server.port}`

  test('serves its files, to be shown in the shell only', async () => {
    const answer = await send('/', { host: host() })
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('Notes')
    expect(answer.headers['content-security-policy']).toContain(`frame-ancestors ${shell}`)
    expect(answer.headers['content-security-policy']).toContain("default-src 'self'")
    expect(answer.headers['x-extra']).toBe('1')
  })

  test('never serves the shell, nor takes calls', async () => {
    expect((await send('/app.js', { host: host() })).status).toBe(404)
    expect((await send(`/?token=${server.token}`, { host: host() })).body).not.toContain('Dharma')
    expect(await knock({ host: host() })).toBe(404)
    expect(callers).toEqual([])
  })

  test('gives no script to a service worker, which would outlive the system and its headers', async () => {
    const headers = { 'service-worker': 'script' }
    const answer = await send('/', { host: host(), headers })
    expect(answer.status).toBe(403)
    expect(answer.body).not.toContain('Notes')
  })

  test('of a system that is not installed is 404, and has the browser forget what its pages kept', async () => {
    const answer = await send('/', { host: `org.example.other.localhost:${server.port}` })
    expect(answer.status).toBe(404)
    expect(answer.headers['content-type']).toContain('text/plain')
    expect(answer.headers['clear-site-data']).toBe('"cache", "cookies", "storage"')
  })

  test('has the browser forget nothing while it is installed', async () => {
    const headers = { 'service-worker': 'script' }
    const answers = [
      await send('/', { host: host() }),
      await send('/nothing.js', { host: host() }),
      await send('/broken', { host: host() }),
      await send('/', { host: host(), headers }),
      await send('/', { host: host(), method: 'POST' }),
      await send('/nothing.js'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 500, 403, 405, 404])
    for (const { headers } of answers) expect(headers).not.toHaveProperty('clear-site-data')
  })

  test('does not tell why it failed; the log does', async () => {
    const answer = await send('/broken', { host: host() })
    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('secret')
    expect(logged).toHaveLength(1)
  })
})

describe('the socket for calls', () => {
  test('takes calls of the owner with the token, from the page or from a program', async () => {
    for (const options of [{ origin: shell }, {}]) {
      const socket = openSocket(options)
      const client = connect(contract, webSocketPort(socket))
      expect((await client.identity.whoami({})).name).toBe('Ada')
      expect(await client.identity.rename({ name: 'Bo' })).toEqual({})
      expect(socket.protocol).toBe('dharma')
      socket.terminate()
    }
    expect(callers).toEqual([{ kind: 'owner' }, { kind: 'owner' }])
  })

  test('of a system is limited to what that system may', async () => {
    const socket = openSocket({ path: `/rpc?system=${SYSTEM}`, origin: shell })
    const client = connect(contract, webSocketPort(socket))
    expect((await client.identity.whoami({})).name).toBe('Ada')
    await expect(client.identity.rename({ name: 'Bo' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    socket.terminate()
  })

  test('refuses every caller that is not the person’s', async () => {
    const { token } = server
    const refusals: [number, SocketOptions][] = [
      [401, { protocols: [] }],
      [401, { protocols: ['dharma'] }],
      [401, { protocols: ['dharma', 'wrong'] }],
      [401, { protocols: ['dharma', token.slice(1)] }],
      [401, { protocols: [token] }],
      [401, { protocols: [token, 'dharma'] }],
      [403, { origin: 'http://evil.example' }],
      [403, { origin: 'null' }],
      [403, { origin: `http://localhost:${server.port}` }],
      [403, { origin: `http://${SYSTEM}.localhost:${server.port}` }],
      [403, { origin: `https://${authority}` }],
      [404, { path: '/' }],
      [404, { path: '/rpc/' }],
      [404, { path: '/rpc?system=org.example.other' }],
      [404, { path: '/rpc?system=' }],
      [404, { path: '/rpc?system=../x' }],
    ]
    for (const [status, options] of refusals) {
      expect([options, await knock(options)]).toEqual([options, status])
    }
    expect(callers).toEqual([])
  })
})

describe('what is too much', () => {
  const system = `/rpc?system=${SYSTEM}`

  test('closes a system’s socket sooner than the person’s', async () => {
    const large = 'x'.repeat(5 * 1024 * 1024)
    const hostile = openSocket({ path: system })
    await once(hostile, 'open')
    hostile.send(large)
    const [code] = (await once(hostile, 'close')) as [number]
    expect(code).toBe(1009)
    const owner = openSocket()
    await once(owner, 'open')
    owner.send(large)
    const client = connect(contract, webSocketPort(owner))
    expect((await client.identity.whoami({})).name).toBe('Ada')
    owner.terminate()
  })

  test('a caller has so many sockets, and no other has fewer for it', async () => {
    const sockets = Array.from({ length: 64 }, () => openSocket({ path: system }))
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    expect(await knock({ path: system })).toBe(503)
    expect(await knock({})).toBe(101)
    sockets[0]!.terminate()
    await expect.poll(() => knock({ path: system })).toBe(101)
    for (const socket of sockets) socket.terminate()
  })

  test('headers end somewhere', async () => {
    const answer = await send('/app.js', { headers: { 'x-large': 'x'.repeat(20_000) } })
    expect(answer.status).toBe(431)
  })
})

describe('whatever arrives', () => {
  /** Sends bytes as they are, and waits for the end or for nothing more to come. */
  async function sendRaw(...parts: (string | Uint8Array)[]): Promise<void> {
    const socket = createConnection(server.port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    for (const part of parts) socket.write(part)
    socket.end()
    socket.resume()
    await once(socket, 'close')
  }
  const line = fc.string({ maxLength: 60 }).map((text) => text.replaceAll(/[\r\n]/g, ' '))
  const bytes = fc.uint8Array({ maxLength: 200, size: 'max' })

  test('on the port, does not end the server', async () => {
    const heads = fc.oneof(
      fc.string(),
      bytes,
      fc
        .record({
          path: fc.oneof(fc.constant('/rpc'), fc.webPath(), line),
          host: fc.oneof(fc.constant('HOST'), line),
          origin: line,
          protocol: fc.oneof(fc.constant('dharma, TOKEN'), line),
          key: fc.oneof(fc.constant('dGhlIHNhbXBsZSBub25jZQ=='), line),
          version: fc.oneof(fc.constant('13'), line),
        })
        .map(({ path, host, origin, protocol, key, version }) =>
          [
            `GET ${path} HTTP/1.1`,
            `Host: ${host}`,
            ...(origin === '' ? [] : [`Origin: ${origin}`]),
            'Connection: Upgrade',
            'Upgrade: websocket',
            `Sec-WebSocket-Protocol: ${protocol}`,
            `Sec-WebSocket-Key: ${key}`,
            `Sec-WebSocket-Version: ${version}`,
            '\r\n',
          ].join('\r\n'),
        ),
    )
    await fc.assert(
      fc.asyncProperty(heads, fc.array(bytes, { maxLength: 3 }), async (head, rest) => {
        const known =
          typeof head === 'string'
            ? head.replace('HOST', authority).replace('TOKEN', server.token)
            : head
        await sendRaw(known, ...rest)
      }),
      { numRuns: 150 },
    )
    expect((await send('/app.js')).status).toBe(200)
    expect(logged).toEqual([])
  })

  test('on a socket for calls, does not end the server', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.json(), bytes), { maxLength: 20 }),
        async (messages) => {
          const socket = openSocket({ path: system() })
          await once(socket, 'open')
          for (const message of messages) socket.send(message)
          const client = connect(contract, webSocketPort(socket))
          expect((await client.identity.whoami({})).name).toBe('Ada')
          socket.terminate()
        },
      ),
      { numRuns: 50 },
    )
  })
  const system = (): string => `/rpc?system=${SYSTEM}`
})

test('a port that is taken is told as such', async () => {
  const second = startHttpServer({
    port: server.port,
    shellDir: folder,
    log: { info: note, warn: note, error: note },
    serve: () => undefined,
    systems: {} as never,
  })
  await expect(second).rejects.toMatchObject({ code: 'PORT_IN_USE' })
})

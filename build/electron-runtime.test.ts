import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

interface ElectronRuntime {
  releaseTrouble(
    version: string,
    options?: { releases?: string; timeoutMs?: number },
  ): Promise<string | null>
}

// Plain JavaScript: it also runs before TypeScript is installed.
const { href } = new URL('electron-runtime.mjs', import.meta.url)
const { releaseTrouble } = (await import(href)) as ElectronRuntime

const VERSION = '1.2.3'

const servers: Server[] = []
beforeEach(() => {
  for (const name of ['ELECTRON_MIRROR', 'npm_config_electron_mirror', 'ELECTRON_GET_USE_PROXY']) {
    vi.stubEnv(name, '')
  }
})
afterEach(() => {
  vi.unstubAllEnvs()
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** The address of releases on a server that answers so. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/releases`
}

test('a release that is there is no trouble', async () => {
  const asked: (string | undefined)[] = []
  const releases = await serve(({ url }, response) => {
    asked.push(url)
    response.end()
  })
  expect(await releaseTrouble(VERSION, { releases })).toBeNull()
  expect(asked).toEqual([`/releases/v${VERSION}/SHASUMS256.txt`])
})

test('one that can’t be had is said with its address and the reason', async () => {
  const refusing = await serve((_, response) => response.writeHead(403).end())
  expect(await releaseTrouble(VERSION, { releases: refusing })).toBe(
    `${refusing}/v${VERSION}/SHASUMS256.txt answered 403`,
  )
  const silent = await serve(() => undefined)
  expect(await releaseTrouble(VERSION, { releases: silent, timeoutMs: 100 })).toBe(
    `${silent}/v${VERSION}/SHASUMS256.txt did not answer within 0.1 s`,
  )
  const gone = await serve(() => undefined)
  await new Promise((resolve) => servers.at(-1)?.close(resolve))
  expect(await releaseTrouble(VERSION, { releases: gone })).toMatch(
    /SHASUMS256\.txt cannot be reached \(.*ECONNREFUSED/,
  )
})

test('a mirror that was set is trusted, and not asked', async () => {
  vi.stubEnv('ELECTRON_MIRROR', 'https://mirror.example.org/')
  const releases = await serve((_, response) => response.writeHead(403).end())
  expect(await releaseTrouble(VERSION, { releases })).toBeNull()
})

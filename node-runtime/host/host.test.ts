import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Runtime } from '../machine/runtime.ts'
import { silentLog } from '../testing/silent-log.ts'
import { hostRuntime } from './host.ts'
import type { Host } from './host.ts'

/** Nothing is asked of it here. */
const RUNTIME = {} as Pick<Runtime, 'serve' | 'systems'>

let dataDir: string
let stranger: Server | null = null

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'dharma-host-'))
})
afterEach(async () => {
  await new Promise((resolve) => (stranger === null ? resolve(null) : stranger.close(resolve)))
  stranger = null
  await rm(dataDir, { recursive: true })
})

function start(port = 0): Promise<Host> {
  return hostRuntime(RUNTIME, { dataDir, port, log: silentLog })
}

/** Starts it, closes it, and gives its address. */
async function once(port = 0): Promise<URL> {
  const host = await start(port)
  await host.close()
  return new URL(host.url)
}

async function take(port: string): Promise<void> {
  const server = createServer()
  await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', () => resolve(null)))
  stranger = server
}

test('a folder keeps its port over a restart, and gets a new token', async () => {
  const first = await once()
  const second = await once()
  expect(second.host).toBe(first.host)
  expect(second.searchParams.get('token')).not.toBe(first.searchParams.get('token'))
})

test('where another has that port, it takes any, and keeps that one', async () => {
  const first = await once()
  await take(first.port)
  const second = await once()
  expect(second.port).not.toBe(first.port)
  expect((await once()).port).toBe(second.port)
})

test('a port that was asked for is taken or refused, and no other', async () => {
  const { port } = await once()
  await take(port)
  await expect(start(Number(port))).rejects.toMatchObject({ code: 'PORT_IN_USE' })
})

test('a damaged file of the port keeps nobody from starting', async () => {
  for (const text of ['', 'no port', '99999\n', '-1\n']) {
    await writeFile(join(dataDir, 'port'), text)
    const { port } = await once()
    expect(await readFile(join(dataDir, 'port'), 'utf8')).toBe(`${port}\n`)
  }
})

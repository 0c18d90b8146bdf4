import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RUNTIME_FILE } from '../store/runtime-file.ts'
import { connectToFolder } from './running-machine.ts'

let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'running-machine-'))
})

afterEach(() => rm(dataDir, { recursive: true, force: true }))

async function leave(port: number, token = 'a-token'): Promise<void> {
  const content = { pid: 1, url: '', port, token }
  await writeFile(join(dataDir, RUNTIME_FILE), JSON.stringify(content))
}

test('a port that takes connections and says nothing is no machine', async () => {
  const taken: Socket[] = []
  const silent = createServer((socket) => void taken.push(socket.on('error', () => undefined)))
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  try {
    await leave((silent.address() as AddressInfo).port)
    await expect(connectToFolder(dataDir, 50)).rejects.toMatchObject({ code: 'NO_MACHINE' })
    expect(taken).toHaveLength(1)
  } finally {
    for (const socket of taken) socket.destroy()
    silent.close()
  }
})

test.each([
  [0, 'a-token'],
  [-1, 'a-token'],
  [65_536, 'a-token'],
  [1, ''],
  [1, 'two words'],
  [1, 'dharma'],
])('a file with port %i and token "%s" is of no machine', async (port, token) => {
  await leave(port, token)
  await expect(connectToFolder(dataDir)).rejects.toMatchObject({ code: 'NO_MACHINE' })
})

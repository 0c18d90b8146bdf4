import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startTestnet } from '../swarm/testnet.ts'
import { silentLog, until } from '../testing/cloud-nodes.ts'
import { Runtime } from './runtime.ts'

it('a machine that joins a cloud by its key learns how it began, and keeps that', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dharma-genesis-'))
  const testnet = await startTestnet()
  const start = (name: string, cloud?: string) =>
    Runtime.start({
      dataDir: join(folder, name),
      sdkDir: folder,
      kind: 'headless',
      log: silentLog,
      bootstrap: testnet.bootstrap,
      host: '127.0.0.1',
      ...(cloud === undefined ? {} : { cloud }),
    })
  const first = await start('first')
  const { cloud } = first
  const second = await start('second', cloud)
  try {
    const genesisIn = async (name: string): Promise<unknown> => {
      const text = await readFile(join(folder, name, 'cloud.json'), 'utf8')
      const file = JSON.parse(text) as { clouds: Record<string, { genesis?: string }> }
      return file.clouds[cloud]?.genesis
    }
    await until(async () => (await genesisIn('second')) !== undefined)
    expect(await genesisIn('second')).toBe(await genesisIn('first'))
  } finally {
    await Promise.all([first.close(), second.close()])
    await testnet.close()
    await rm(folder, { recursive: true, force: true })
  }
})

// Real machines on real local networks: network namespaces, joined by a switch, with no internet.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ConnectionReport } from '../contract/connection.ts'
import { until } from '../testing/cloud-nodes.ts'
import { Namespaces, namespacesFault } from '../testing/namespaces.ts'
import { bundleCommand, nextLine } from './testing/command.ts'
import type { Command, Running } from './testing/command.ts'

const fault = await namespacesFault()
if (fault !== null) console.warn(`Real local networks are not tested here: ${fault}.`)

vi.setConfig({ testTimeout: 60_000 })

describe.skipIf(fault !== null)('on a local network, with no internet', () => {
  let command: Command
  let folder: string
  const world = new Namespaces()
  beforeAll(async () => {
    command = await bundleCommand()
    folder = await mkdtemp(join(tmpdir(), 'dharma-lan-'))
    for (const name of ['home', 'office']) await world.makeSwitch(name)
    for (const name of ['anna', 'ben']) await world.makeComputer(name)
  })
  afterAll(async () => {
    await command.killAll()
    await world.close()
    await command.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const dataOf = (name: string): string => join(folder, name)
  const start = (name: string, ...args: string[]): Running =>
    command.start([...args, '--data', dataOf(name)], {}, world.on(name))

  /** What it reports, from now on. */
  function follow(name: string) {
    const { lines } = start(name, 'call', 'cloud.watchConnection', '{}')
    let report: ConnectionReport | null = null
    lines.on('line', (line) => (report = JSON.parse(line) as ConnectionReport))
    return {
      until: async (isSo: (found: ConnectionReport) => boolean): Promise<ConnectionReport> => {
        await until(() => report !== null && isSo(report), 50_000)
        return report as unknown as ConnectionReport
      },
    }
  }
  const lanOf = ({ ways }: ConnectionReport) => ways.find(({ way }) => way === 'lan')

  test('two machines find each other by it alone, lose each other, and find each other in another network', async () => {
    // Each begins where there is nobody: it says so, and goes on looking.
    const anna = start('anna', 'up', '--json', '--ways', 'lan')
    const { cloud } = JSON.parse(await nextLine(anna)) as { cloud: string }
    const atAnna = follow('anna')
    const alone = await atAnna.until((found) => lanOf(found)?.state === 'failed')
    expect(alone).toMatchObject({ state: 'alone', links: { direct: 0, relayed: 0 } })
    expect(lanOf(alone)).toMatchObject({ step: 'NO_NETWORK' })

    await world.plugIn('anna', 'home', '10.77.0.1/24')
    await world.plugIn('ben', 'home', '10.77.0.2/24')
    const ben = start('ben', 'up', '--json', '--ways', 'lan', '--cloud', cloud)
    await nextLine(ben)
    const atBen = follow('ben')
    for (const machine of [atAnna, atBen]) {
      const found = await machine.until(({ links }) => links.direct === 1)
      const on = found.ways.filter(({ state }) => state !== 'off')
      expect(on.map(({ way }) => way)).toEqual(['lan'])
    }

    // Both are carried elsewhere, where they have other addresses.
    for (const name of ['anna', 'ben']) await world.unplug(name)
    for (const machine of [atAnna, atBen]) await machine.until(({ links }) => links.direct === 0)
    await world.plugIn('anna', 'office', '192.168.8.20/24')
    await world.plugIn('ben', 'office', '192.168.8.30/24')
    for (const machine of [atAnna, atBen]) await machine.until(({ links }) => links.direct === 1)
  })
})

// `dharma up` and `doctor`.
import { resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { parseBootstrap } from '../../host/bootstrap.ts'
import { parseListUrl } from '../../host/list-option.ts'
import { parseWays, WAYS_HERE } from '../../host/ways.ts'
import { DATA_HELP, dataDirOf, JSON_HELP } from './options.ts'
import type { DataOption } from './options.ts'

const MAX_PORT = 65_535

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= MAX_PORT) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

export function addMachineCommands(program: Command): void {
  program
    .command('up')
    .description('Run a machine until Ctrl+C, and serve its pages to a browser on this computer.')
    .option('--data <folder>', DATA_HELP)
    .option(
      '--port <number>',
      'port of the pages; 0 takes the last one of the folder, or a free one',
      parsePort,
      0,
    )
    .option('--cloud <key>', 'join this cloud (default: the folder’s own, or a new one)')
    .option('--release <file>', 'come in by this release, as "cloud release" writes it')
    .option('--bootstrap <addresses>', 'begin in the DHT at these, as HOST:PORT,HOST:PORT')
    .option('--ways <names>', `look for other machines only by these: ${WAYS_HERE.join(',')}`)
    .option(
      '--list <url>',
      'read this look-up list of the cloud from now on; may be given several times (default: none)',
      (url: string, before: string[] | undefined) => [...(before ?? []), parseListUrl(url)],
    )
    .option(
      '--no-port-mapping',
      'ask the router for no port, by which others would reach this machine without its help',
    )
    .option('--json', JSON_HELP, false)
    .action(
      async (
        options: DataOption & {
          port: number
          portMapping: boolean
          cloud?: string
          release?: string
          bootstrap?: string
          ways?: string
          list?: string[]
          json: boolean
        },
      ) => {
        const { port, portMapping, cloud, release, bootstrap, ways, json } = options
        const { list: lists = [] } = options
        const { up } = await import('../up.ts')
        await up({
          dataDir: dataDirOf(options),
          port,
          json,
          lists,
          portMapping,
          ...(cloud === undefined ? {} : { cloud }),
          ...(release === undefined ? {} : { release: resolve(release) }),
          ...(bootstrap === undefined ? {} : { bootstrap: parseBootstrap(bootstrap) }),
          ...(ways === undefined ? {} : { ways: parseWays(ways) }),
        })
      },
    )

  program
    .command('doctor')
    .description(
      'Say by which ways the running machine of a folder looks for others, and what came of it.',
    )
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(async (options: DataOption & { json: boolean }) => {
      const { doctor } = await import('../doctor.ts')
      await doctor(dataDirOf(options), options)
    })
}

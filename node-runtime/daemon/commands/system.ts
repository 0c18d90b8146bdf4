// `dharma system`.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { DATA_HELP, dataDirOf, JSON_HELP } from './options.ts'
import type { DataOption } from './options.ts'

interface KeyOption extends DataOption {
  key?: string
}

const KEY_HELP = 'file of the publisher’s key (default: in the data folder)'

export function addSystemCommands(program: Command): void {
  const system = program.command('system').description('For authors of systems.')

  system
    .command('init')
    .description(
      'Make a repository of a system that comes with Dharma: to install it, or to begin one’s own.',
    )
    .argument('<folder>', 'an empty folder, or one that is not there')
    .option('--from <system>', 'such as event-games', 'notes')
    .option('--id <id>', 'an id of its own')
    .option('--name <name>', 'a name of its own')
    .option('--key <file>', KEY_HELP)
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(
      async (
        folder: string,
        options: KeyOption & { from: string; id?: string; name?: string; json: boolean },
      ) => {
        const { from, id, name, key, json } = options
        const { initSystemFolder } = await import('../system.ts')
        await initSystemFolder({
          folder: resolve(folder),
          dataDir: dataDirOf(options),
          from,
          json,
          ...(id === undefined ? {} : { id }),
          ...(name === undefined ? {} : { name }),
          ...(key === undefined ? {} : { key: resolve(key) }),
        })
      },
    )

  system
    .command('sign')
    .description(
      'Sign the files of a folder as their publisher; the first time, make the key for it.',
    )
    .argument('<folder>', 'the folder of the repository')
    .option('--key <file>', KEY_HELP)
    .option('--next <file>', 'hand over to the key in this file, which signs from now on')
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(async (folder: string, options: KeyOption & { next?: string; json: boolean }) => {
      const { key, next, json } = options
      const { signSystemFolder } = await import('../system.ts')
      await signSystemFolder({
        folder: resolve(folder),
        dataDir: dataDirOf(options),
        json,
        ...(key === undefined ? {} : { key: resolve(key) }),
        ...(next === undefined ? {} : { next: resolve(next) }),
      })
    })

  system
    .command('verify')
    .description('Check the signature of a folder’s newest commit, as machines do that install it.')
    .argument('<folder>', 'the folder of the repository')
    .option('--json', JSON_HELP, false)
    .action(async (folder: string, { json }: { json: boolean }) => {
      const { verifySystemFolder } = await import('../system.ts')
      await verifySystemFolder(resolve(folder), json)
    })
}

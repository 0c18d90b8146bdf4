// `dharma list`.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { DATA_HELP, dataDirOf, JSON_HELP } from './options.ts'
import type { DataOption } from './options.ts'

const LIST_HELP = 'such as https://host/list.git, git@host:owner/list.git or file:///folder'

interface ListOptions extends DataOption {
  json: boolean
  user: string
  tokenFile?: string
}

const TOKEN_OPTIONS = [
  ['--token-file <file>', 'a file with the password or token of who may write there'],
  ['--user <name>', 'the name that belongs to it', 'git'],
] as const

export function addListCommands(program: Command): void {
  const list = program
    .command('list')
    .description('Look-up lists of the cloud: signed lists of machines on public places.')

  list
    .command('create')
    .description('Begin a list, signed with the key of the cloud, and write to it from now on.')
    .argument('<url>', LIST_HELP)
    .option('--data <folder>', DATA_HELP)
    .option('--backup <url>', 'say in it where a backup of the records is')
    .option(...TOKEN_OPTIONS[0])
    .option(...TOKEN_OPTIONS[1])
    .option('--json', JSON_HELP, false)
    .action(async (url: string, options: ListOptions & { backup?: string }) => {
      const { createList } = await import('../list.ts')
      await createList(url, dataDirOf(options), options)
    })

  list
    .command('show')
    .description('Say what is on a list now.')
    .argument('<url>', LIST_HELP)
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(async (url: string, options: DataOption & { json: boolean }) => {
      const { showList } = await import('../list.ts')
      await showList(url, dataDirOf(options), options)
    })

  list
    .command('push')
    .description('Write to a list which machines this one knows.')
    .argument('<url>', LIST_HELP)
    .option('--data <folder>', DATA_HELP)
    .option(...TOKEN_OPTIONS[0])
    .option(...TOKEN_OPTIONS[1])
    .option('--json', JSON_HELP, false)
    .action(async (url: string, options: ListOptions) => {
      const { pushList } = await import('../list.ts')
      await pushList(url, dataDirOf(options), options)
    })

  list
    .command('bake')
    .description(
      'Write a file for DHARMA_LISTS: a build that is made with it writes to the list. Keep both secret.',
    )
    .argument('<url>', LIST_HELP)
    .argument('<file>', 'to be written; it must not be there yet')
    .option('--data <folder>', DATA_HELP)
    .option(...TOKEN_OPTIONS[0])
    .option(...TOKEN_OPTIONS[1])
    .option('--json', JSON_HELP, false)
    .action(async (url: string, file: string, options: ListOptions) => {
      const { bakeList } = await import('../list.ts')
      await bakeList(url, dataDirOf(options), { ...options, file: resolve(file) })
    })
}

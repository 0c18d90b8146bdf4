// `dharma cloud`.
import { resolve } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import { ADMISSION_CHOICES } from '../../contract/connection.ts'
import { CloudError } from '../../contract/errors.ts'
import type { NewCloud } from '../../services/cloud/cloud-service.ts'
import { DATA_HELP, dataDirOf, JSON_HELP, parseTime } from './options.ts'
import type { DataOption } from './options.ts'

export function addCloudCommands(program: Command): void {
  const cloud = program
    .command('cloud')
    .description('Begin a cloud, and speak for it as its owner.')

  cloud
    .command('create')
    .description(
      'Begin a new cloud and move into it. The key that speaks for it stays in the folder.',
    )
    .addOption(
      new Option(
        '--admission <kind>',
        'who may come in: whoever knows its key, the invited, or releases',
      )
        .choices(ADMISSION_CHOICES)
        .default('open'),
    )
    .option('--name <name>', 'a name of it, for people', '')
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(async (options: DataOption & NewCloud & { json: boolean }) => {
      const { createCloud } = await import('../cloud.ts')
      await createCloud(dataDirOf(options), options)
    })

  cloud
    .command('info')
    .description('How the cloud of a folder’s running machine began, and who may come in.')
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(async (options: DataOption & { json: boolean }) => {
      const { showCloud } = await import('../cloud.ts')
      await showCloud(dataDirOf(options), options)
    })

  cloud
    .command('release')
    .description(
      'Make a release: a file by which builds and machines come in. Keep it secret. Or list those that were made.',
    )
    .argument('[file]', 'to be written; it must not be there yet')
    .option('--name <name>', 'of the release, such as "Spring 2027"; a new one must have one')
    .option('--list', 'instead, list the releases that were made on this machine', false)
    .option(
      '--expires <time>',
      'after so long it lets nobody in any more, such as 90d (default: never)',
      parseTime,
    )
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(
      async (
        file: string | undefined,
        options: DataOption & { name?: string; list: boolean; expires?: number; json: boolean },
      ) => {
        const { listReleases, makeRelease } = await import('../cloud.ts')
        if (options.list) return listReleases(dataDirOf(options), options)
        const { name } = options
        if (file === undefined || name === undefined) {
          throw new CloudError('BAD_INPUT', 'A release wants a file to be written to, and --name.')
        }
        await makeRelease(dataDirOf(options), { ...options, name, file: resolve(file) })
      },
    )

  cloud
    .command('revoke')
    .description('Take a release back, for ever: whoever runs it comes in no more.')
    .argument('<release>', 'its name, or its public key, as "cloud release --list" prints them')
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(async (release: string, options: DataOption & { json: boolean }) => {
      const { revokeRelease } = await import('../cloud.ts')
      await revokeRelease(dataDirOf(options), { ...options, release })
    })
}

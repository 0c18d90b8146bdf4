// `dharma invite` and `join`.
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { parseBootstrap } from '../../host/bootstrap.ts'
import { DATA_HELP, dataDirOf, DAY_MS, JSON_HELP, parseTime } from './options.ts'
import type { DataOption } from './options.ts'

function parseUses(text: string): number {
  const uses = Number(text)
  if (/^\d+$/.test(text) && uses >= 1 && uses <= 1_000) return uses
  throw new InvalidArgumentError('Uses are a number from 1 to 1000.')
}

export function addInvitationCommands(program: Command): void {
  program
    .command('invite')
    .description(
      'Give out an invitation into the cloud of a folder’s running machine: a link and a code.',
    )
    .option('--uses <number>', 'persons that may come in by it', parseUses, 1)
    .option('--expires <time>', 'how long it holds, such as 30m, 1h or 7d (default: 1d)', parseTime)
    .option('--page <url>', 'also as a link to this page, which has docs/invite/index.html')
    .option('--withdraw <id>', 'instead, take back the invitation with this id')
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(
      async (
        options: DataOption & {
          uses: number
          expires?: number
          page?: string
          withdraw?: string
          json: boolean
        },
      ) => {
        const { invite, withdraw } = await import('../invite.ts')
        const { expires = DAY_MS } = options
        if (options.withdraw === undefined)
          await invite(dataDirOf(options), { ...options, expires })
        else await withdraw(dataDirOf(options), options.withdraw, options.json)
      },
    )

  program
    .command('join')
    .description(
      'Join a cloud by the link or code of an invitation, or by its key; running or not.',
    )
    .argument(
      '<invitation...>',
      'a link, the words of a code, or a key; - for stdin, which no other program sees',
    )
    .option('--bootstrap <addresses>', 'of a machine that is off: begin in the DHT at these')
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(
      async (words: string[], options: DataOption & { bootstrap?: string; json: boolean }) => {
        const { bootstrap, json } = options
        const { join } = await import('../invite.ts')
        await join(dataDirOf(options), {
          text: words.join(' '),
          json,
          ...(bootstrap === undefined ? {} : { bootstrap: parseBootstrap(bootstrap) }),
        })
      },
    )
}

// The command line: `dharma up`, `doctor`, `list`, `call`, `calls`, `testnet`, `demo`, `invite`, `join`, `cloud`,
// `person` and `system`. Each command is loaded when it is named, so that a call does not wait for all that a
// machine needs.
import { resolve } from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { ADMISSION_CHOICES } from '../contract/cloud.ts'
import { CloudError } from '../contract/errors.ts'
import { parseBootstrap } from '../host/bootstrap.ts'
import { parseListUrl } from '../host/list-option.ts'
import { parseWays, WAYS_HERE } from '../host/ways.ts'
import type { NewCloud } from '../services/cloud/cloud-service.ts'
import { describeCall, describeCalls, findCall, listCalls } from './call-list.ts'
import { COMMAND } from '../host/command-name.ts'
import { defaultDataDir } from '../host/default-data-dir.ts'
import { endWhenReaderGoes, printFailure, printJson, printText } from './output.ts'

const MAX_PORT = 65_535
const DAY_MS = 86_400_000
const MAX_TIME_MS = 36_500 * DAY_MS
const DATA_HELP = 'data folder of the machine (default: $DHARMA_DATA, else the usual place)'
const JSON_HELP = 'print one line of JSON for programs'

interface DataOption {
  data?: string
}

function dataDirOf({ data }: DataOption): string {
  return data === undefined ? defaultDataDir() : resolve(data)
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= MAX_PORT) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

function parseSpeed(text: string): number {
  const speed = Number(text)
  if (speed >= 0.1 && speed <= 100) return speed
  throw new InvalidArgumentError('A speed is a number from 0.1 to 100.')
}

function parseUses(text: string): number {
  const uses = Number(text)
  if (/^\d+$/.test(text) && uses >= 1 && uses <= 1_000) return uses
  throw new InvalidArgumentError('Uses are a number from 1 to 1000.')
}

/** Ms. */
function parseTime(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  const timeMs = Number(amount) * ({ m: 60_000, h: 3_600_000, d: DAY_MS }[unit] ?? Number.NaN)
  if (timeMs >= 60_000 && timeMs <= MAX_TIME_MS) return timeMs
  throw new InvalidArgumentError('A time is such as 30m, 1h or 7d, at most 36500d.')
}

function showCalls(json: boolean): void {
  const calls = listCalls()
  if (json) printJson({ calls })
  else printText(describeCalls(calls))
}

function showCall(name: string, json: boolean): void {
  const call = findCall(name)
  if (json) printJson(call)
  else printText(describeCall(call))
}

const program = new Command(COMMAND)
  .description('A machine of a Dharma cloud, without a window of its own.')
  .version(packageJson.version)
  .exitOverride()
  .configureOutput({ outputError: () => undefined })
  .showHelpAfterError(false)

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
      const { up } = await import('./up.ts')
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
    const { doctor } = await import('./doctor.ts')
    await doctor(dataDirOf(options), options)
  })

const list = program
  .command('list')
  .description('Look-up lists of the cloud: signed lists of machines on public places.')

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
    const { createList } = await import('./list.ts')
    await createList(url, dataDirOf(options), options)
  })

list
  .command('show')
  .description('Say what is on a list now.')
  .argument('<url>', LIST_HELP)
  .option('--data <folder>', DATA_HELP)
  .option('--json', JSON_HELP, false)
  .action(async (url: string, options: DataOption & { json: boolean }) => {
    const { showList } = await import('./list.ts')
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
    const { pushList } = await import('./list.ts')
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
    const { bakeList } = await import('./list.ts')
    await bakeList(url, dataDirOf(options), { ...options, file: resolve(file) })
  })

program
  .command('call')
  .description('Make a call on the running machine of a folder: its answer on stdout, as JSON.')
  .argument('[call]', `such as cloud.status; see "${COMMAND} calls"`)
  .argument('[arguments]', 'the arguments, as JSON', '{}')
  .option('--data <folder>', DATA_HELP)
  .option('--list', 'list all calls', false)
  .addHelpText(
    'after',
    '\nA call that streams prints one line for each event, until Ctrl+C. A failure exits with 1 and' +
      '\nprints {"code","message","details"} on stderr.',
  )
  .action(
    async (name: string | undefined, args: string, options: DataOption & { list: boolean }) => {
      if (options.list) return showCalls(false)
      if (name === undefined) throw new CloudError('BAD_INPUT', `Which call? See: ${COMMAND} calls`)
      const { call } = await import('./call.ts')
      await call(name, args, dataDirOf(options))
    },
  )

program
  .command('calls')
  .description('List all calls, and who may make them; of one call, what it takes and answers.')
  .argument('[call]', 'such as db.put')
  .option('--json', `${JSON_HELP}, with JSON Schemas of inputs and answers`, false)
  .action((name: string | undefined, { json }: { json: boolean }) => {
    if (name === undefined) showCalls(json)
    else showCall(name, json)
  })

program
  .command('testnet')
  .description('Run a DHT for machines on this computer alone, until Ctrl+C.')
  .option('--json', JSON_HELP, false)
  .action(async (options: { json: boolean }) => {
    const { testnet } = await import('./testnet.ts')
    await testnet(options)
  })

program
  .command('demo')
  .description(
    'See it all: a cloud of machines on this computer, bots that hold tournaments, a window.',
  )
  .option('--no-open', 'open no window; print the address for a browser')
  .option('--speed <factor>', 'how fast the bots play; 1 is as people do', parseSpeed, 1)
  .action(async (options: { open: boolean; speed: number }) => {
    const { demo } = await import('./demo/demo.ts')
    await demo(options)
  })

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
      const { invite, withdraw } = await import('./invite.ts')
      const { expires = DAY_MS } = options
      if (options.withdraw === undefined) await invite(dataDirOf(options), { ...options, expires })
      else await withdraw(dataDirOf(options), options.withdraw, options.json)
    },
  )

program
  .command('join')
  .description('Join a cloud by the link or code of an invitation, or by its key; running or not.')
  .argument(
    '<invitation...>',
    'a link, the words of a code, or a key; - for stdin, which no other program sees',
  )
  .option('--bootstrap <addresses>', 'of a machine that is off: begin in the DHT at these')
  .option('--data <folder>', DATA_HELP)
  .option('--json', JSON_HELP, false)
  .action(async (words: string[], options: DataOption & { bootstrap?: string; json: boolean }) => {
    const { bootstrap, json } = options
    const { join } = await import('./invite.ts')
    await join(dataDirOf(options), {
      text: words.join(' '),
      json,
      ...(bootstrap === undefined ? {} : { bootstrap: parseBootstrap(bootstrap) }),
    })
  })

const cloud = program.command('cloud').description('Begin a cloud, and speak for it as its owner.')

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
    const { createCloud } = await import('./cloud.ts')
    await createCloud(dataDirOf(options), options)
  })

cloud
  .command('info')
  .description('How the cloud of a folder’s running machine began, and who may come in.')
  .option('--data <folder>', DATA_HELP)
  .option('--json', JSON_HELP, false)
  .action(async (options: DataOption & { json: boolean }) => {
    const { showCloud } = await import('./cloud.ts')
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
      const { listReleases, makeRelease } = await import('./cloud.ts')
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
    const { revokeRelease } = await import('./cloud.ts')
    await revokeRelease(dataDirOf(options), { ...options, release })
  })

const person = program
  .command('person')
  .description('The machines of a person: their recovery phrase attests and revokes them.')

interface PhraseOption extends DataOption {
  phraseFile?: string
  json: boolean
}

const PHRASE_HELP =
  'file with the recovery phrase, - for stdin (default: the one that is kept on this machine, else you are asked)'

person
  .command('attest')
  .description('Attest a machine in the cloud that this one is in.')
  .argument('[machine]', 'its key (default: this machine)')
  .option('--phrase-file <file>', PHRASE_HELP)
  .option('--data <folder>', DATA_HELP)
  .option('--json', JSON_HELP, false)
  .action(async (machine: string | undefined, options: PhraseOption) => {
    const { json, phraseFile } = options
    const { attestMachine } = await import('./person.ts')
    await attestMachine(machine, { dataDir: dataDirOf(options), json, phraseFile })
  })

person
  .command('accept')
  .description('Make this machine one of the person who has attested it.')
  .argument('<attestation>', `what "${COMMAND} person attest" printed on another machine`)
  .option('--data <folder>', DATA_HELP)
  .option('--json', JSON_HELP, false)
  .action(async (attestation: string, options: DataOption & { json: boolean }) => {
    const { acceptAttestation } = await import('./person.ts')
    await acceptAttestation(attestation, { dataDir: dataDirOf(options), json: options.json })
  })

person
  .command('revoke')
  .description('Revoke a lost machine: it gets no links, and what it writes is shown nowhere.')
  .argument('<machine>', 'its key')
  .option(
    '--keep-until <time>',
    'what it wrote until then stays, such as 2026-11-30T12:00:00Z; or never (default: now)',
  )
  .option('--phrase-file <file>', PHRASE_HELP)
  .option('--data <folder>', DATA_HELP)
  .option('--json', JSON_HELP, false)
  .action(async (machine: string, options: PhraseOption & { keepUntil?: string }) => {
    const { json, phraseFile, keepUntil } = options
    const { revokeMachine } = await import('./person.ts')
    await revokeMachine(machine, { dataDir: dataDirOf(options), json, phraseFile, keepUntil })
  })

const system = program.command('system').description('For authors of systems.')

interface KeyOption extends DataOption {
  key?: string
}

const KEY_HELP = 'file of the publisher’s key (default: in the data folder)'

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
      const { initSystemFolder } = await import('./system.ts')
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
    const { signSystemFolder } = await import('./system.ts')
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
    const { verifySystemFolder } = await import('./system.ts')
    await verifySystemFolder(resolve(folder), json)
  })

/** Programs read the failures of `call` always, and those of commands that they asked for JSON. */
function wantsJson(argv: readonly string[]): boolean {
  return argv[0] === 'call' || argv.includes('--json')
}

async function run(argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const failure =
      error instanceof CommanderError
        ? new CloudError('BAD_INPUT', error.message.replace(/^error: /, ''), { reason: error.code })
        : error
    // Commander shows the help by itself when no command is named.
    if (!(error instanceof CommanderError && error.code === 'commander.help')) {
      printFailure(failure, { json: wantsJson(argv) })
    }
    return 1
  }
}

endWhenReaderGoes()
const exitCode = await run(process.argv.slice(2))
// Anything that is still open by now, such as a socket that closes slowly, is not worth waiting for;
// what was written is.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)))

// `dharma call` and `calls`.
import type { Command } from 'commander'
import { CloudError } from '../../contract/errors.ts'
import { COMMAND } from '../../host/command-name.ts'
import { describeCall, describeCalls, findCall, listCalls } from '../call-list.ts'
import { printJson, printText } from '../output.ts'
import { DATA_HELP, dataDirOf, JSON_HELP } from './options.ts'
import type { DataOption } from './options.ts'

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

export function addCallCommands(program: Command): void {
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
        if (name === undefined) {
          throw new CloudError('BAD_INPUT', `Which call? See: ${COMMAND} calls`)
        }
        const { call } = await import('../call.ts')
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
}

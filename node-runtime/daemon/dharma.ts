// The command line. Its commands are declared in `commands/`, and what each does is loaded when it is named, so
// that a call does not wait for all that a machine needs.
import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { CloudError } from '../contract/errors.ts'
import { COMMAND } from '../host/command-name.ts'
import { addCallCommands } from './commands/calls.ts'
import { addCloudCommands } from './commands/cloud.ts'
import { addInvitationCommands } from './commands/invitations.ts'
import { addListCommands } from './commands/lists.ts'
import { addMachineCommands } from './commands/machine.ts'
import { addPersonCommands } from './commands/person.ts'
import { addPlaygroundCommands } from './commands/playground.ts'
import { addSystemCommands } from './commands/system.ts'
import { endWhenReaderGoes, printFailure } from './output.ts'

const program = new Command(COMMAND)
  .description('A machine of a Dharma cloud, without a window of its own.')
  .version(packageJson.version)
  .exitOverride()
  .configureOutput({ outputError: () => undefined })
  .showHelpAfterError(false)

// The help lists them in this order.
addMachineCommands(program)
addListCommands(program)
addCallCommands(program)
addPlaygroundCommands(program)
addInvitationCommands(program)
addCloudCommands(program)
addPersonCommands(program)
addSystemCommands(program)

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

// `dharma person`.
import type { Command } from 'commander'
import { COMMAND } from '../../host/command-name.ts'
import { DATA_HELP, dataDirOf, JSON_HELP } from './options.ts'
import type { DataOption } from './options.ts'

interface PhraseOption extends DataOption {
  phraseFile?: string
  json: boolean
}

const PHRASE_HELP =
  'file with the recovery phrase, - for stdin (default: the one that is kept on this machine, else you are asked)'

export function addPersonCommands(program: Command): void {
  const person = program
    .command('person')
    .description('The machines of a person: their recovery phrase attests and revokes them.')

  person
    .command('attest')
    .description('Attest a machine in the cloud that this one is in.')
    .argument('[machine]', 'its key (default: this machine)')
    .option('--phrase-file <file>', PHRASE_HELP)
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(async (machine: string | undefined, options: PhraseOption) => {
      const { json, phraseFile } = options
      const { attestMachine } = await import('../person.ts')
      await attestMachine(machine, { dataDir: dataDirOf(options), json, phraseFile })
    })

  person
    .command('accept')
    .description('Make this machine one of the person who has attested it.')
    .argument('<attestation...>', `what "${COMMAND} person attest" printed on another machine`)
    .option('--yes', 'the recovery phrase of this machine’s present person may be deleted', false)
    .option('--data <folder>', DATA_HELP)
    .option('--json', JSON_HELP, false)
    .action(async (words: string[], options: DataOption & { yes: boolean; json: boolean }) => {
      const { yes: forgetPhrase, json } = options
      const { acceptAttestation } = await import('../person.ts')
      await acceptAttestation(words.join(' '), { dataDir: dataDirOf(options), json, forgetPhrase })
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
      const { revokeMachine } = await import('../person.ts')
      await revokeMachine(machine, { dataDir: dataDirOf(options), json, phraseFile, keepUntil })
    })
}

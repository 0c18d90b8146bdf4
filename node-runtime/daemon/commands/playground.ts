// `dharma testnet` and `demo`: to try it out on this computer alone.
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { JSON_HELP } from './options.ts'

function parseSpeed(text: string): number {
  const speed = Number(text)
  if (speed >= 0.1 && speed <= 100) return speed
  throw new InvalidArgumentError('A speed is a number from 0.1 to 100.')
}

export function addPlaygroundCommands(program: Command): void {
  program
    .command('testnet')
    .description('Run a DHT for machines on this computer alone, until Ctrl+C.')
    .option('--json', JSON_HELP, false)
    .action(async (options: { json: boolean }) => {
      const { testnet } = await import('../testnet.ts')
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
      const { demo } = await import('../demo/demo.ts')
      await demo(options)
    })
}

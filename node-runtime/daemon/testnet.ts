// `dharma testnet`: a DHT on this computer alone, until it is told to stop.
import { COMMAND } from '../host/command-name.ts'
import { startTestnet } from '../swarm/testnet.ts'
import { printJson, printText } from './output.ts'
import { waitForStop } from './stop-signal.ts'

/** Resolves once the nodes have closed after SIGINT or SIGTERM. */
export async function testnet({ json }: { json: boolean }): Promise<void> {
  const stopped = waitForStop()
  const { bootstrap, close } = await startTestnet()
  const addresses = bootstrap.map(({ host, port }) => `${host}:${port}`)
  if (json) printJson({ event: 'ready', bootstrap: addresses })
  else {
    printText('A DHT for machines on this computer is up. Start machines in it with:')
    printText(`${COMMAND} up --bootstrap ${addresses.join(',')} --data FOLDER`)
    printText('Ctrl+C stops it.')
  }
  await stopped
  await close()
}

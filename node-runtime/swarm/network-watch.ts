// Notices when this computer comes into another network. What counts as one decides `core/finding/network-detector.ts`.
import { networkInterfaces } from 'node:os'
import { LOOK_MS, NetworkDetector } from '../core/finding/network-detector.ts'

/** Calls `onChange` after each change; the returned function stops that. */
export function watchNetwork(onChange: () => void): () => void {
  const detector = new NetworkDetector(readAddresses())
  const timer = setInterval(() => {
    if (detector.look(readAddresses())) onChange()
  }, LOOK_MS)
  return () => clearInterval(timer)
}

/** The stack goes by IPv4. */
function readAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address)
}

// Why no node of the DHT answers: no network at all, or one that lets no UDP through.
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { DhtAddress } from 'hyperdht'
import { WayFailure } from './ways.ts'

/** Whoever is asked is near enough to answer by then, or out of reach. */
const ANSWER_MS = 2_000
const MAX_ASKED = 3

/**
 * Asks the computers of a few nodes over TCP, which no node speaks: a refusal shows as well that packets get there.
 * @param nodes  those that did not answer
 */
export async function whyNoNode(
  nodes: readonly DhtAddress[],
  interfaces: typeof networkInterfaces = networkInterfaces,
): Promise<WayFailure> {
  const addresses = Object.values(interfaces()).flatMap((all) => all ?? [])
  if (addresses.every(({ internal }) => internal)) {
    return new WayFailure(
      'OFFLINE',
      'This computer is in no network. Connect it to one; looking goes on by itself then.',
    )
  }
  const reached = await Promise.all(nodes.slice(0, MAX_ASKED).map(answersTcp))
  if (reached.includes(true)) {
    return new WayFailure(
      'UDP_BLOCKED',
      'No node of the DHT answered, though their computers can be reached otherwise: this network probably lets no UDP through. Allow UDP in the firewall or the router, or use another network.',
    )
  }
  return new WayFailure(
    'NO_NODE',
    'No node of the DHT answered. Is this computer on the internet, and does its network let UDP through?',
  )
}

function answersTcp({ host, port }: DhtAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_MS })
    const end = (answered: boolean): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', (error) => end('code' in error && error.code === 'ECONNREFUSED'))
  })
}

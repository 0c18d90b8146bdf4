// The router of this computer, as its system says: on Linux from the table of routes in `/proc`, on macOS and Windows
// by the system's own `route`, which only prints it.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isPrivateIpv4 } from '../../core/port-mapping/ipv4.ts'
import {
  gatewayOfProcRoutes,
  gatewayOfRouteGet,
  gatewayOfRoutePrint,
} from '../../core/port-mapping/routes.ts'
import { isOnLink, localInterfaces } from '../lan/interfaces.ts'
import type { LocalInterface } from '../lan/interfaces.ts'
import { MappingFailure } from './mapping-failure.ts'

const run = promisify(execFile)
const LIMITS = { timeout: 3_000, maxBuffer: 256 * 1_024, windowsHide: true }

export interface Gateway {
  /** IPv4, private. */
  host: string
  /** This computer, in the router's network. */
  ownHost: string
}

/** @throws MappingFailure NO_ROUTER or NO_NEED */
export async function findGateway(signal: AbortSignal): Promise<Gateway> {
  return gatewayAmong(await defaultGateway(signal), localInterfaces())
}

/**
 * @param host  of the default route; null without one
 * @param own  this computer's addresses
 * @throws MappingFailure
 */
export function gatewayAmong(host: string | null, own: readonly LocalInterface[]): Gateway {
  if (host === null) {
    throw new MappingFailure(
      'NO_ROUTER',
      'This computer goes through no router that could give a port.',
    )
  }
  // What a private address leads to is of this house, or of its provider; nobody else is asked.
  if (!isPrivateIpv4(host)) {
    throw new MappingFailure(
      'NO_NEED',
      'This computer has no router of a home before it: its addresses are those of the internet.',
    )
  }
  const beside = own.find((network) => isOnLink(host, network))
  if (beside !== undefined) return { host, ownHost: beside.host }
  throw new MappingFailure(
    'NO_ROUTER',
    'The router of this computer is in none of its own networks.',
  )
}

async function defaultGateway(signal: AbortSignal): Promise<string | null> {
  try {
    switch (process.platform) {
      case 'linux':
        return gatewayOfProcRoutes(await readFile('/proc/net/route', { encoding: 'utf8', signal }))
      case 'win32': {
        const words = ['print', '-4', '0.0.0.0']
        return gatewayOfRoutePrint((await run('route.exe', words, { ...LIMITS, signal })).stdout)
      }
      default:
        return gatewayOfRouteGet(
          (await run('/sbin/route', ['-n', 'get', 'default'], { ...LIMITS, signal })).stdout,
        )
    }
  } catch {
    // Without a default route, `route` fails; without `/proc` or `route`, nobody knows.
    return null
  }
}

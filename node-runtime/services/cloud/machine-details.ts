// All that this machine knows of one, for a person to read.
import type { MachineDetails } from '../../contract/machines.ts'
import { CloudError } from '../../contract/errors.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import { STRETCH_MS } from '../../core/membership/latency-history.ts'
import type { Swarm } from '../../swarm/swarm.ts'
import type { Membership } from './membership.ts'
import type { RingLinks } from './ring-links.ts'

export interface MachineKnowledge {
  membership: Pick<Membership, 'entryOf' | 'infoOf'>
  swarm: Pick<Swarm, 'describeLink'>
  ringLinks: Pick<RingLinks, 'ringsBeside'>
  /** The time of day. */
  now: () => number
}

/** @throws CloudError MACHINE_UNKNOWN */
export function describeMachine(
  machine: string,
  { membership, swarm, ringLinks, now }: MachineKnowledge,
): MachineDetails {
  const entry = membership.entryOf(machine)
  const info = membership.infoOf(machine)
  if (entry === undefined || info === null) {
    throw new CloudError('MACHINE_UNKNOWN', 'This machine has not heard of that one.', { machine })
  }
  const { version, capabilities } = entry.protocol
  const link = swarm.describeLink(machine)
  return {
    machine: info,
    protocol: { version, capabilities },
    resources: entry.resources ?? null,
    addresses: (entry.addresses ?? []).map(text),
    besideOn: ringLinks.ringsBeside(machine),
    link:
      link === null
        ? null
        : {
            dialled: link.dialled,
            address: link.address === null ? null : text(link.address),
            through: link.through,
            openedMs: Math.round(now() - link.openMs),
            latencies: { stretchMs: STRETCH_MS, meansMs: link.latencies },
          },
  }
}

function text({ host, port }: MachineAddress): string {
  return `${host}:${port}`
}

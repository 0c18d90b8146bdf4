// `dharma doctor`: how the machine of a folder looks for the others, for a person or a program.
import type { ConnectionReport } from '../contract/connection.ts'
import type { ListReport } from '../contract/lists.ts'
import { connectToFolder } from '../host/running-machine.ts'
import { describeSpan } from '../services/cloud/clock-report.ts'
import { printJson, printText } from './output.ts'

const STATES: Record<ConnectionReport['state'], string> = {
  alone:
    'This machine began its cloud, and is alone in it. It works as the whole cloud, and goes on looking for others.',
  looking: 'No other machine is linked yet; they are looked for.',
  joined: 'This machine is linked with others of its cloud.',
}

const NATS: Record<ConnectionReport['nat'], string> = {
  open: 'others reach this machine from outside',
  home: 'others reach this machine with its help',
  symmetric: 'others reach this machine unless their router is as strict as this one',
  unknown: 'not known yet',
}

/** @throws CloudError NO_MACHINE */
export async function doctor(dataDir: string, { json }: { json: boolean }): Promise<void> {
  const { client, close } = await connectToFolder(dataDir)
  try {
    const report = await client.cloud.connection({})
    if (json) printJson(report)
    else for (const line of describe(report)) printText(line)
  } finally {
    close()
  }
}

function describeList({ url, state, entries, newestAgeMs, message }: ListReport): string {
  if (state === 'failed') return `${url}: ${message}`
  if (newestAgeMs === null)
    return `${url}: ${state === 'read' ? 'nobody is on it' : 'not read yet'}`
  return `${url}: ${entries} on it, the newest signed ${describeSpan(newestAgeMs)} ago`
}

/** The first line: what matters most. A machine that is turned away is not merely looking. */
export function headlineOf({
  state,
  admission,
}: Pick<ConnectionReport, 'state' | 'admission'>): string {
  const isOutside = admission.state === 'refused' || admission.state === 'missing'
  if (state === 'joined' || !isOutside) return STATES[state]
  if (admission.hearsay) return `${STATES[state]} ${admission.message}`
  return `The others do not let this machine in. ${admission.message}`
}

function describe(report: ConnectionReport): string[] {
  const { admission, ways, links, relaying, nat, addresses, lists, clock, ports } = report
  return [
    headlineOf(report),
    '',
    ...ways.map(({ way, state: wayState, tookMs, step, message }) => {
      const took = tookMs === null ? '' : `${(tookMs / 1000).toFixed(2)} s`
      const what = step === null ? wayState : `${wayState} (${step})`
      return `  ${way.padEnd(8)}${what.padEnd(22)}${took.padStart(8)}  ${message}`
    }),
    '',
    `Admitted ${admission.fault === null ? '' : `(${admission.fault}) `}${admission.message}`,
    `Links    ${links.direct} direct, ${links.relayed} relayed`,
    ...(relaying === null ? [] : [`Relaying ${relaying} of others`]),
    `Router   ${NATS[nat]}`,
    `Port     ${ports.step === null ? '' : `(${ports.step}) `}${ports.message}`,
    `At       ${addresses.length === 0 ? 'not known yet' : addresses.join(', ')}`,
    `Clock    ${clock.message}`,
    ...lists.map((list) => `List     ${describeList(list)}`),
  ]
}

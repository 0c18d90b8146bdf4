// The state of the cloud in words. One place, so that all pages say the same.
import type { CloudStatus } from '../../node-runtime/contract/cloud.ts'

export interface CloudWords {
  /** For the address bar's right end. */
  short: string
  /** A sentence. */
  title: string
  /** What it means, and what can be done. */
  text: string
}

/** Does the cloud have more machines than this one knows to be there? */
export function isPartial({ machinesEstimated, machinesOnline }: CloudStatus): boolean {
  return machinesEstimated > machinesOnline
}

/** How many machines the cloud has: an estimate is no better than its first two figures. */
export function describeCount(status: CloudStatus): string {
  if (!isPartial(status)) return machines(status.machinesOnline)
  const { machinesEstimated } = status
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(machinesEstimated)) - 1)
  return `about ${machines(Math.round(machinesEstimated / unit) * unit)}`
}

function machines(count: number): string {
  return count === 1 ? '1 machine' : `${count.toLocaleString('en')} machines`
}

/** In a sentence that follows the number of all. */
function onlineOf(online: number, known: number): string {
  if (online === known) return known === 2 ? 'Both are online.' : 'All of them are online.'
  return online === 1 ? 'Only this one is online.' : `${online} of them are online.`
}

export function describeCloud(status: CloudStatus): CloudWords {
  const { state, originated, machinesOnline, machinesKnown, dhtOnline } = status
  const offNet =
    dhtOnline === false ? ' The DHT does not answer; machines are looked for in other ways.' : ''
  switch (state) {
    case 'joined':
      if (isPartial(status)) {
        return {
          short: describeCount(status),
          title: `You are in a cloud of ${describeCount(status)}.`,
          text: `This machine knows ${machinesKnown} of them, as many as it needs.${offNet}`,
        }
      }
      return {
        short: machines(machinesOnline),
        title: `You are in a cloud of ${machines(machinesKnown)}.`,
        text: `${onlineOf(machinesOnline, machinesKnown)}${offNet}`,
      }
    case 'looking':
      return {
        short: 'Looking',
        title: 'Looking for the machines of your cloud.',
        text: `${
          machinesKnown > 1
            ? `${machines(machinesKnown - 1)} known from before, none reached yet.`
            : originated
              ? 'No other machine has been reached yet.'
              : 'No other machine has been reached yet. A mistyped key looks just like an empty cloud: compare it with the one you were given.'
        } It goes on by itself; what you do meanwhile is kept and passed on later.${offNet}`,
      }
    case 'alone':
      return {
        short: 'Alone',
        title: originated
          ? 'This machine started a new cloud.'
          : 'This machine is alone in its cloud.',
        text: `${originated ? 'It works as it is, and goes on looking for others. Invite some, or join another cloud.' : 'No other machine is known yet; it goes on looking. Invite others, or join another cloud.'}${offNet}`,
      }
  }
}

// How long a machine takes to join a cloud of one other, from its spawn until each of the two lists the
// other as online; against its own start, and against two bare processes that meet in the same DHT.
import type { CloudStatus } from '../../node-runtime/contract/cloud.ts'
import type { MachineInfo } from '../../node-runtime/contract/machines.ts'
import { connectToFolder } from '../../node-runtime/host/running-machine.ts'
import type { Connection } from '../../node-runtime/host/running-machine.ts'
import { LocalCloud } from '../support/machines.ts'
import { newTopic, startBarePeer } from './bare-peer.ts'
import { measureColdJoin } from './cold-join.ts'
import { within } from './patience.ts'
import { compare } from './report.ts'
import type { Measure } from './report.ts'

const ROUNDS = 7

interface CloudView {
  status: CloudStatus
  machines: MachineInfo[]
}

/** Resolves when what the machine says of its cloud meets the condition. */
function cloudShows(
  { client }: Connection,
  condition: (view: CloudView) => boolean,
): Promise<void> {
  const watch = async (): Promise<void> => {
    for await (const view of await client.cloud.watch({})) if (condition(view)) return
    throw new Error('the machine stopped before its cloud was complete')
  }
  return within(watch(), 'a machine’s cloud is complete')
}

/** In ms from the spawn of the second machine: until it is ready, and until it has joined. */
async function joinCloud(cloud: LocalCloud): Promise<{ readyMs: number; joinedMs: number }> {
  const first = await cloud.startDaemon()
  const toFirst = await connectToFolder(first.dataDir)
  try {
    await cloudShows(toFirst, ({ status }) => status.dhtOnline === true)
    const firstSees = cloudShows(
      toFirst,
      ({ machines }) => machines.filter(({ online }) => online).length === 2,
    )
    // If the second does not start, that is the failure to tell.
    firstSees.catch(() => undefined)
    const dataDir = await cloud.makeFolder()
    const startMs = performance.now()
    const second = await cloud.startDaemon({ cloud: first.cloud, dataDir })
    const readyMs = performance.now() - startMs
    const toSecond = await connectToFolder(dataDir)
    const secondSees = cloudShows(toSecond, ({ machines }) =>
      machines.some(({ machine, online }) => machine === first.machine && online),
    )
    await Promise.all([firstSees, secondSees])
    const joinedMs = performance.now() - startMs
    toSecond.close()
    await second.close()
    return { readyMs, joinedMs }
  } finally {
    toFirst.close()
    await first.close()
  }
}

/** In ms from the spawn of the second process until both have a connection. */
async function joinBare(bootstrap: readonly string[]): Promise<number> {
  const topic = newTopic()
  const first = startBarePeer(bootstrap, topic)
  try {
    await first.announced
    const startMs = performance.now()
    const second = startBarePeer(bootstrap, topic)
    try {
      await Promise.all([first.connected, second.connected])
      return performance.now() - startMs
    } finally {
      await second.close()
    }
  } finally {
    await first.close()
  }
}

export const join: Measure = {
  name: 'join',
  title: 'Joining a cloud of one other machine',
  async run(say) {
    const cloud = await LocalCloud.create()
    const ready: number[] = []
    const joined: number[] = []
    const bare: number[] = []
    try {
      for (let round = 1; round <= ROUNDS; round++) {
        say(`joining, round ${round} of ${ROUNDS}`)
        bare.push(await joinBare(cloud.bootstrap))
        const { readyMs, joinedMs } = await joinCloud(cloud)
        ready.push(readyMs)
        joined.push(joinedMs)
      }
    } finally {
      await cloud.close()
    }
    const name = 'from the spawn until each lists the other as online'
    return [
      compare(name, 'ms', joined, 'two bare Hyperswarm processes', bare),
      compare(name, 'ms', joined, 'its own ready line', ready),
      ...(await measureColdJoin(say)),
    ]
  },
}

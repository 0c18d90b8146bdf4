// How fast a machine that has nothing takes in a cloud's records: from its ready line until it and the
// other hold the same, record for record, all signatures checked and all on its disk. Beside it the
// checking of as many signatures alone, on one core.
import { sign, verify } from '../../node-runtime/core/keys.ts'
import { newKeyPair } from '../../node-runtime/store/new-keys.ts'
import { connectToFolder } from '../../node-runtime/host/running-machine.ts'
import { LocalCloud } from '../support/machines.ts'
import type { Daemon } from '../support/machines.ts'
import { placeOf, putMany } from './notes.ts'
import type { Notes } from './notes.ts'
import { until } from './patience.ts'
import { compare, timeMs } from './report.ts'
import type { Row } from './report.ts'
import { installSystem } from './system-page.ts'

const RECORDS = 20_000
const ROUNDS = 3
const IN_FLIGHT = 100
const CHECKS = 4_000
const SIGNED_BYTES = 700

/** Signatures that one core checks in a second. */
async function checksASecond(): Promise<number> {
  const { publicKey, secretKey } = newKeyPair()
  const message = new Uint8Array(SIGNED_BYTES)
  const signature = sign(message, secretKey)
  const tookMs = await timeMs(async () => {
    for (let n = 0; n < CHECKS; n++) verify(message, signature, publicKey)
  })
  return (1_000 * CHECKS) / tookMs
}

/** Records a second that a new machine takes in. */
async function joinCold(cloud: LocalCloud, first: Daemon, system: string): Promise<number> {
  const joiner = await cloud.startDaemon({ cloud: first.cloud })
  const notes: Notes = { ...(await connectToFolder(joiner.dataDir)), system }
  try {
    const tookMs = await timeMs(() =>
      until(async () => {
        const query = { ...placeOf(notes), limit: 1 }
        const { completeness } = await notes.client.db.query(query)
        return completeness.machinesInStep > 0
      }, 'a new machine holds what the other holds'),
    )
    return (1_000 * RECORDS) / tookMs
  } finally {
    notes.close()
    await joiner.close()
  }
}

export async function measureColdJoin(say: (line: string) => void): Promise<Row[]> {
  const cloud = await LocalCloud.create()
  try {
    const first = await cloud.startDaemon()
    const system = await installSystem(first, 'notes', await cloud.makeFolder())
    const notes: Notes = { ...(await connectToFolder(first.dataDir)), system }
    await putMany(notes, 0, RECORDS, IN_FLIGHT)
    notes.close()
    const rates: number[] = []
    const checks: number[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      say(`taking in ${RECORDS} records, round ${round} of ${ROUNDS}`)
      checks.push(await checksASecond())
      rates.push(await joinCold(cloud, first, system))
    }
    const name = `${RECORDS.toLocaleString('en')} records taken in by a new machine`
    return [compare(name, 'a second', rates, 'signatures checked on one core', checks)]
  } finally {
    await cloud.close()
  }
}

// A process of its own that puts records until it is ended, and says of each when it is on the disk:
// `<number> <length of the journal>` a line. Usage: putting-process.ts <folder> <writers>
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { IndexedRecords } from '../store/indexed-records.ts'
import { TEST_CLOUD, TEST_NOW_MS, recordWriter, testVersion } from './record-writer.ts'
import { silentLog } from './silent-log.ts'

const [folder = '', writers = '1'] = process.argv.slice(2)
const { store } = await IndexedRecords.open({
  folder,
  cloud: TEST_CLOUD,
  log: silentLog,
  nowMs: () => TEST_NOW_MS,
})
const anna = recordWriter(1)
let number = 0

async function put(): Promise<never> {
  for (;;) {
    const mine = number++
    const record = anna.record({ id: String(mine), version: testVersion(mine) })
    await store.accept({
      records: [{ record, verdict: 'good' }],
      attestations: [anna.attestation],
    })
    const journal = (await readdir(folder)).find((name) => name.endsWith('.log')) ?? ''
    const { size } = await stat(join(folder, journal))
    process.stdout.write(`${mine} ${journal} ${size}\n`)
  }
}
await Promise.all(Array.from({ length: Number(writers) }, put))

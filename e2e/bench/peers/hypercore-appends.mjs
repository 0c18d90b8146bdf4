// A bare Hypercore in a process of its own, each of whose answers waits for the disk, as ours do: the
// library writes its journal and does not wait, so the journal is synced here after each append.
//   node hypercore-appends.mjs FOLDER
// On `{ appends: COUNT, batch: SIZE, bytes: SIZE }` it tells its parent how long each append took, in ms;
// on `{ syncs: COUNT, bytes: SIZE, everyMs: PACE }` how long a write to a file and its sync took.
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import Corestore from 'corestore'
import { timeEach } from './time-each.mjs'

const [folder] = process.argv.slice(2)
const store = new Corestore(folder)
await store.ready()
const core = store.get({ name: 'appends' })
await core.ready()
const plain = await open(path.join(folder, 'plain'), 'a')

async function openJournal() {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.log'))
  return open(path.join(folder, names.sort().at(-1)), 'r+')
}

async function measure({ appends, syncs, batch, bytes, everyMs }) {
  if (syncs !== undefined) {
    return timeEach(syncs, everyMs, async () => {
      await plain.write(Buffer.alloc(bytes, 1))
      await plain.datasync()
    })
  }
  const journal = await openJournal()
  const times = await timeEach(appends, 0, async () => {
    await core.append(Array.from({ length: batch }, () => Buffer.alloc(bytes, 1)))
    await journal.datasync()
  })
  await journal.close()
  return times
}

process.on('message', async (message) => process.send({ timesMs: await measure(message) }))
// It ends with the process that started it, however that goes.
process.on('disconnect', () => process.exit())
process.send('ready')

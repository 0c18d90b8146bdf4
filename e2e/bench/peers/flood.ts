// A page that floods: `flood.ts FOLDER SYSTEM CALL COUNT` keeps so many of a call in flight until it is
// killed. Says "flooding" to its parent once it is at it. What is refused counts as made.
import * as z from 'zod'
import { CALLS } from '../calls.ts'
import { openSystemPage } from '../system-page.ts'

const [dataDir, system, name, count] = z
  .tuple([
    z.string(),
    z.string(),
    z.enum(['put', 'get', 'query', 'largePut', 'largeQuery']),
    z.string(),
  ])
  .parse(process.argv.slice(2))

const page = await openSystemPage(dataDir, system)
let number = 0
const flood = async (): Promise<void> => {
  for (;;) await CALLS[name](page, number++).catch(() => undefined)
}
// While there is no flood yet, so that it is not refused.
await CALLS[name](page, 0)
const all = Array.from({ length: Number(count) }, flood)
process.send?.('flooding')
process.on('disconnect', () => process.exit())
await Promise.all(all)

// A process of its own that says when it begins, and each time that it wakes: `awake`, `slept <ms>` a line.
import { watchSleep } from '../swarm/sleep-watch.ts'

watchSleep((sleptMs) => process.stdout.write(`slept ${sleptMs}\n`))
process.stdout.write('awake\n')

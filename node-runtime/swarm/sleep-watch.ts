// Notices when this computer wakes. What counts as sleep decides `core/finding/sleep-detector.ts`.
import { uptime } from 'node:os'
import { LOOK_MS, SleepDetector } from '../core/finding/sleep-detector.ts'
import type { Clocks } from '../core/finding/sleep-detector.ts'

/** Calls `onWake` after each sleep, with how long it was; the returned function stops that. */
export function watchSleep(onWake: (sleptMs: number) => void): () => void {
  const detector = new SleepDetector(readClocks())
  const timer = setInterval(() => {
    const sleptMs = detector.look(readClocks())
    if (sleptMs > 0) onWake(sleptMs)
  }, LOOK_MS)
  return () => clearInterval(timer)
}

/** Node's own monotonic clock stands still in sleep on some systems, and the one on the wall may jump. */
function readClocks(): Clocks {
  const { user, system } = process.cpuUsage()
  return { uptimeMs: uptime() * 1_000, busyMs: (user + system) / 1_000 }
}

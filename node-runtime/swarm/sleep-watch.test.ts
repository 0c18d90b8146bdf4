import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { until } from '../testing/cloud-nodes.ts'

const STOPPED_MS = 4_500

it.skipIf(process.platform === 'win32')(
  'a process that stood still notices it at once',
  async () => {
    const script = join(import.meta.dirname, '../testing/sleeping-process.ts')
    const child = spawn(process.execPath, ['--import', 'tsx', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const lines = createInterface({ input: child.stdout })
      expect(await once(lines, 'line')).toEqual(['awake'])
      const woke = once(lines, 'line')
      const fromMs = uptime() * 1_000
      child.kill('SIGSTOP')
      await until(() => uptime() * 1_000 - fromMs >= STOPPED_MS)
      const atMs = performance.now()
      child.kill('SIGCONT')
      const [line] = (await woke) as [string]
      // It says how long, but for the second between two looks.
      expect(Number(/^slept (\d+(?:\.\d+)?)$/.exec(line)?.[1])).toBeGreaterThanOrEqual(3_000)
      expect(performance.now() - atMs).toBeLessThan(2_000)
    } finally {
      child.kill('SIGKILL')
    }
  },
)

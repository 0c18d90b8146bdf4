// A process of its own: the test runner has its own opinion of failures that nobody caught.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const GUARD = new URL('process-guard.ts', import.meta.url).href

async function run(source: string): Promise<{ code: unknown; out: string }> {
  const script = `
    import { guardProcess } from ${JSON.stringify(GUARD)}
    const log = (message, fields) => console.log(message + ': ' + fields.error.message)
    guardProcess({ info: log, warn: log, error: log })
    ${source}`
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out }
}

test('a promise that fails unheard is logged, and the process goes on', async () => {
  const { code, out } = await run(`
    void Promise.reject(new Error('unheard'))
    setTimeout(() => console.log('still here'), 20)`)
  expect(out).toBe('a failure was not handled; the machine goes on: unheard\nstill here\n')
  expect(code).toBe(0)
})

test('an exception that nobody caught is logged, and the process ends', async () => {
  const { code, out } = await run(`
    setTimeout(() => console.log('still here'), 500)
    setImmediate(() => { throw new Error('uncaught') })`)
  expect(out).toBe('the process failed: uncaught\n')
  expect(code).toBe(1)
})

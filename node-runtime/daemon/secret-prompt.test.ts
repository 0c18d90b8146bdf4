import { spawn, spawnSync } from 'node:child_process'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { askSecret, canAsk } from './secret-prompt.ts'

const WORDS = 'abandon ability able about'

function terminal() {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: vi.fn() })
  let shown = ''
  return { input, output: { write: (text: string) => (shown += text) }, shown: () => shown }
}

test('what is typed is the answer, and is shown nowhere', async () => {
  const { input, output, shown } = terminal()
  const asked = askSecret('Phrase: ', { input, output })
  for (const key of WORDS) input.write(key)
  input.write('x\u007f\r')
  expect(await asked).toBe(WORDS)
  expect(shown()).toBe('Phrase: \n')
  // Keys are read one by one, and the terminal is as before.
  expect(input.setRawMode.mock.calls).toEqual([[true], [false]])
})

test.each(['\u0003', '\u0004'])('who presses %j puts in nothing', async (key) => {
  const { input, output } = terminal()
  const asked = askSecret('Phrase: ', { input, output })
  input.write(key)
  await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(input.setRawMode).toHaveBeenLastCalledWith(false)
})

test('a pipe is nobody to ask', () => {
  expect(canAsk({ input: new PassThrough(), output: process.stderr })).toBe(false)
})

// `script` of util-linux runs a program on a terminal of its own.
const hasScript = spawnSync('script', ['--version']).stdout?.includes('util-linux') ?? false

test.skipIf(!hasScript)(
  `on a real terminal nothing of it is to be seen${hasScript ? '' : ' (there is no program "script" here)'}`,
  async () => {
    const file = fileURLToPath(new URL('./secret-prompt.ts', import.meta.url))
    const program = `import(${JSON.stringify(file)}).then(async ({ askSecret }) => {
      const answer = await askSecret("Phrase: ")
      process.stdout.write("length " + answer.length)
      process.exit()
    })`
    const node = `${process.execPath} --import tsx --eval '${program}'`
    const child = spawn('script', ['--quiet', '--return', '--command', node, '/dev/null'])
    let shown = ''
    child.stdout.on('data', (chunk: Buffer) => {
      const isAsked = shown.includes('Phrase: ')
      shown += chunk.toString()
      if (!isAsked && shown.includes('Phrase: ')) child.stdin.write(`${WORDS}\r`)
    })
    await new Promise((resolve) => child.on('close', resolve))
    expect(shown).toContain(`length ${WORDS.length}`)
    expect(shown).not.toContain('abandon')
  },
  20_000,
)

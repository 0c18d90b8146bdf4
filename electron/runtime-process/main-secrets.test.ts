import { expect, test } from 'vitest'
import { MainSecrets } from './main-secrets.ts'
import type { FromRuntime } from './messages.ts'

test('each question gets its own answer, in whatever order they come', async () => {
  const asked: FromRuntime[] = []
  const secrets = new MainSecrets((message) => asked.push(message))
  const [sealed, opened] = [secrets.seal('hush'), secrets.open('abc')]
  expect(asked).toEqual([
    { type: 'secret', id: 0, ask: 'seal', text: 'hush' },
    { type: 'secret', id: 1, ask: 'open', text: 'abc' },
  ])
  secrets.answered(1, null)
  secrets.answered(0, 'sealed')
  secrets.answered(7, 'nobody asked')
  expect(await Promise.all([sealed, opened])).toEqual(['sealed', null])
})

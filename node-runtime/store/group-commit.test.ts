import { expect, it } from 'vitest'
import { GroupCommit } from './group-commit.ts'

it('writes nothing of what was gathered when that no longer holds', async () => {
  const written: string[] = []
  let goOn = (): void => {}
  const commits = new GroupCommit({
    write: async ({ changes }) => {
      written.push(...changes.map(({ key }) => key.toString()))
      await new Promise<void>((go) => (goOn = go))
    },
    onFailed: () => {},
  })
  const stage = (key: string): Promise<void> =>
    commits.stage({ changes: [{ type: 'del', key: Buffer.from(key) }], added: 0 }, () => {})
  const first = stage('first')
  await Promise.resolve()
  expect(written).toEqual(['first'])
  const second = stage('second')
  commits.failGathered(new RangeError('gone'))
  await expect(second).rejects.toThrow('gone')
  goOn()
  await first
  await commits.idle()
  expect(written).toEqual(['first'])
})

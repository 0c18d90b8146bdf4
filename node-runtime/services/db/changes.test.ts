import { expect, it } from 'vitest'
import type { MergedRecord, StoredRecord } from '../../ports/record-store.ts'
import { recordWriter, testVersion } from '../../testing/record-writer.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { tellOfChanges } from './changes.ts'

const [anna, ben] = [recordWriter(1), recordWriter(2)]

const by = (writer: typeof anna, id: string, counter = 0): MergedRecord => ({
  record: writer.record({ id, version: testVersion(counter) }),
  verdict: '',
})

/** Whether records of Anna count has to be found out, and is when `answer` is called. */
function start(hear: (name: string) => void = () => {}) {
  const heard: string[] = []
  const asked: { answer: (counting: readonly StoredRecord[]) => void; fail: () => void }[] = []
  let merge: (merged: readonly MergedRecord[]) => void = () => {}
  const store = {
    onMerged: (listener: typeof merge) => {
      merge = listener
      return () => {}
    },
  }
  const revocations = {
    concerns: ({ header }: StoredRecord['record']) => header.author === anna.person,
    counting: () =>
      new Promise<StoredRecord[]>((resolve, reject) => {
        asked.push({
          answer: (counting) => resolve([...counting]),
          fail: () => reject(new Error('not now')),
        })
      }),
  }
  const stop = tellOfChanges({ store, revocations, log: silentLog }, (record) => {
    const name = `${record.id}${record.deleted === true ? ' hidden' : ''}`
    heard.push(name)
    hear(name)
  })
  return { heard, asked, merge: (...merged: MergedRecord[]) => merge(merged), stop }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('are told in the order of their merging, though of some it is found out whether they count', async () => {
  const { heard, asked, merge } = start()
  const [first, second] = [by(anna, 'first'), by(anna, 'second')]
  const zero = by(ben, 'zero')
  merge(zero, first)
  merge(second)
  const third = by(ben, 'third')
  merge(third)
  await turn()
  // Whoever is asked already may answer sooner than the first.
  asked[1]?.answer([second])
  await turn()
  expect(heard).toEqual([])
  asked[0]?.answer([zero])
  await turn()
  expect(heard).toEqual(['zero', 'first hidden'])
  asked[1]?.answer([second])
  await turn()
  asked[2]?.answer([third])
  await turn()
  expect(heard.slice(2)).toEqual(['second', 'third'])
})

it('are told at once when nothing has to be found out, also after something was', async () => {
  const { heard, asked, merge } = start()
  merge(by(ben, 'one'))
  expect(heard).toEqual(['one'])
  const two = by(anna, 'two')
  merge(two)
  await turn()
  asked[0]?.answer([two])
  await turn()
  merge(by(ben, 'three'))
  expect(heard).toEqual(['one', 'two', 'three'])
})

it('a listener that throws hears of the next one', async () => {
  const { heard, asked, merge } = start(() => {
    throw new Error('it fails')
  })
  merge(by(ben, 'one'), by(ben, 'two'))
  expect(heard).toEqual(['one', 'two'])
  const [three, four] = [by(anna, 'three'), by(anna, 'four')]
  merge(three, four)
  await turn()
  asked[0]?.answer([three, four])
  await turn()
  expect(heard).toEqual(['one', 'two', 'three', 'four'])
})

it('of what can’t be found out now nothing is shown, and it is told of', async () => {
  const { heard, asked, merge } = start()
  merge(by(ben, 'one'), by(anna, 'two'))
  await turn()
  asked[0]?.fail()
  await turn()
  expect(heard).toEqual(['one', 'two hidden'])
})

it('nothing is told to who has left', async () => {
  const { heard, asked, merge, stop } = start()
  const one = by(anna, 'one')
  merge(one)
  await turn()
  stop()
  asked[0]?.answer([one])
  await turn()
  expect(heard).toEqual([])
})

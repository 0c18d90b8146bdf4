import { expect, it, vi } from 'vitest'
import type { Revocation } from '../../core/forms/revocation.ts'
import type { MergedRecord, OrderItem, StoredRecord } from '../../ports/record-store.ts'
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
  let revoke: (revocation: Revocation, before?: Revocation) => void = () => {}
  let held: MergedRecord[] = []
  let from: OrderItem | undefined
  let looks = 0
  const store = {
    onMerged: (listener: typeof merge) => {
      merge = listener
      return () => {}
    },
    async *order(first?: OrderItem) {
      from = first
      looks += 1
      for (const { record } of [...held]) {
        yield [{ version: record.header.version, id32: record.id32 }]
      }
    },
    byId32: async (items: readonly OrderItem[]) =>
      items.map(({ id32 }) => held.find(({ record }) => record.id32 === id32)),
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
    hiddenBy: async (before: readonly Revocation[], stored: readonly StoredRecord[]) =>
      stored.filter(({ record }) =>
        before.some(({ validUntil }) => validUntil === null || record.header.version > validUntil),
      ),
    onRevoked: (listener: (now: Revocation, before: Revocation | undefined) => void) => {
      revoke = listener
      return () => {}
    },
  }
  const hold = (...records: MergedRecord[]): void => void (held = records)
  const stop = tellOfChanges({ store, revocations, log: silentLog }, (record) => {
    const name = `${record.id}${record.deleted === true ? ' hidden' : ''}`
    heard.push(name)
    hear(name)
  })
  return {
    heard,
    asked,
    merge: (...merged: MergedRecord[]) => merge(merged),
    hold,
    /** One of Anna's machines, as of a version. */
    revoke: (validUntil: string | null, before?: string | null, machine = '') => {
      const revocation = { ...anna, cloud: '', machine, sequence: 1, form: NO_FORM }
      revoke(
        { ...revocation, validUntil },
        before === undefined ? undefined : { ...revocation, validUntil: before },
      )
    },
    from: () => from,
    /** How often what is held was looked through. */
    looks: () => looks,
    stop,
  }
}
const NO_FORM = { body: '', signature: '' }

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

it('those that are held and count no more, since their machine was revoked, are told of as hidden', async () => {
  const { heard, asked, hold, revoke, from } = start()
  const [kept, lost] = [by(anna, 'kept', 1), by(anna, 'lost', 2)]
  hold(kept, by(ben, 'other', 1), lost)
  const validUntil = testVersion(1)
  revoke(validUntil)
  for (const counting of [[kept], [], []]) {
    await turn()
    asked.shift()?.answer(counting)
  }
  await turn()
  expect(heard).toEqual(['lost hidden'])
  expect(from()?.version).toBe(validUntil)
})

it('those that count again, since a later revocation lets more stand, are told of anew, and no others', async () => {
  const { heard, asked, hold, revoke, from } = start()
  const [kept, again, lost] = [by(anna, 'kept', 1), by(anna, 'again', 2), by(anna, 'lost', 3)]
  hold(kept, again, lost)
  revoke(testVersion(2), testVersion(1))
  expect(from()?.version).toBe(testVersion(1))
  for (const counting of [[kept], [again], []]) {
    await turn()
    asked.shift()?.answer(counting)
  }
  await turn()
  expect(heard).toEqual(['again', 'lost hidden'])
})

it.each<
  [what: string, validUntil: string | null, before: string | undefined | null, first?: string]
>([
  ['that nothing is left of', null, undefined],
  ['after one that nothing was left of', testVersion(2), null],
  ['that hides more', testVersion(1), testVersion(2), testVersion(1)],
  ['that hides less', testVersion(2), testVersion(1), testVersion(1)],
])('what is held is looked through for one %s from where it matters', async (...its) => {
  const [, validUntil, before, first] = its
  const { hold, revoke, from, looks } = start()
  hold(by(anna, 'held'))
  revoke(validUntil, before)
  await turn()
  expect(looks()).toBe(1)
  expect(from()?.version).toBe(first)
})

it('revocations that come while what is held is looked through are looked at together after that', async () => {
  const { heard, asked, hold, revoke, from, looks } = start()
  const held = by(anna, 'held', 3)
  hold(held)
  revoke(testVersion(2))
  await turn()
  // What counts is what held before the first of them, and what holds after the last.
  revoke(testVersion(4), testVersion(1), 'another')
  for (let n = 0; n < 500; n++) revoke(testVersion(4), testVersion(4), 'another')
  await turn()
  expect(looks()).toBe(1)
  asked.shift()?.answer([])
  await vi.waitFor(() => expect(looks()).toBe(2))
  expect(from()?.version).toBe(testVersion(1))
  asked.shift()?.answer([held])
  await turn()
  expect(heard).toEqual(['held hidden', 'held'])
  expect(asked).toEqual([])
})

it('for revocations without an end what is held is not looked through all the time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    const { asked, hold, revoke, looks, stop } = start()
    hold(by(anna, 'held'))
    revoke(null)
    await turn()
    vi.advanceTimersByTime(1_000)
    asked.shift()?.answer([])
    await turn()
    revoke(null)
    vi.advanceTimersByTime(3_999)
    await turn()
    expect(looks()).toBe(1)
    vi.advanceTimersByTime(1)
    await turn()
    expect(looks()).toBe(2)
    asked.shift()?.answer([])
    await turn()
    vi.advanceTimersByTime(60_000)
    await turn()
    expect(looks()).toBe(2)
    revoke(null)
    revoke(null)
    await turn()
    asked.shift()?.answer([])
    await turn()
    stop()
    vi.advanceTimersByTime(60_000)
    await turn()
    expect(looks()).toBe(3)
  } finally {
    vi.useRealTimers()
  }
})

it('one whose place was taken meanwhile is not', async () => {
  const { heard, asked, merge, hold, revoke } = start()
  const [lost, later] = [by(anna, 'same', 1), by(anna, 'same', 2)]
  merge(by(anna, 'first'))
  hold(lost)
  revoke(null)
  await turn()
  hold(later)
  merge(later)
  asked.shift()?.answer([])
  for (let step = 0; step < 3; step++) {
    await turn()
    asked.shift()?.answer([later])
  }
  await turn()
  expect(heard).toEqual(['first hidden', 'same'])
})

it('what can’t be read of them now holds nobody up', async () => {
  const { heard, asked, merge, hold, revoke } = start()
  const { record, verdict } = by(anna, 'gone')
  let reads = 0
  hold({
    verdict,
    get record() {
      if (reads++ > 0) throw new Error('not now')
      return record
    },
  })
  revoke(null)
  await turn()
  const two = by(anna, 'two')
  merge(two)
  await turn()
  asked[0]?.answer([two])
  await turn()
  expect(heard).toEqual(['two'])
  expect(reads).toBe(2)
})

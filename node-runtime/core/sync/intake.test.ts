import { beforeEach, describe, expect, it } from 'vitest'
import { FakeShared, itemAt, WALL_MS } from './fixtures/shared.ts'
import { Intake } from './intake.ts'
import { frameCost } from './outbox.ts'
import { Peer, WINDOW } from './peer.ts'
import type { MergedItem, RecordStatus } from './replication-events.ts'

let shared: FakeShared
let settled: string[]
let intake: Intake
let peer: Peer
beforeEach(() => {
  shared = new FakeShared()
  settled = []
  intake = new Intake(shared, ({ key }) => settled.push(key))
  peer = shared.greeted('b')
})

const FORM = { body: '{}', signature: '00'.repeat(64) }

function take(
  number: number,
  { records = 1, sizeBytes = 100, forms = 0, healed = false, first = 1 } = {},
): void {
  const message = {
    kind: healed ? ('healed' as const) : ('pushed' as const),
    number,
    attestations: Array.from({ length: forms }, () => FORM),
    records: Array.from({ length: records }, (_, i) => Uint8Array.of(first + i)),
  }
  intake.take(peer, message, new Uint8Array(sizeBytes))
}

const tokens = (): number[] =>
  shared.take().flatMap((effect) => (effect.type === 'acceptRecords' ? [effect.token] : []))
const held = (count: number): RecordStatus[] => Array.from({ length: count }, () => 'held')
/** Frames that were acknowledged since the last time, each with the places of what is missing. */
const acknowledged = (): [number, readonly number[]][] =>
  shared
    .takeSent()
    .flatMap(({ message }) => (message.kind === 'acknowledge' ? message.frames : []))
    .map(({ number, missing }) => [number, missing])

describe('a frame', () => {
  it('is judged with what it says of itself', () => {
    take(0, { records: 2, forms: 1, healed: true })
    take(1)
    expect(shared.take()).toEqual([
      {
        type: 'acceptRecords',
        token: 1,
        peer: 'b',
        healed: true,
        attestations: [FORM],
        records: [Uint8Array.of(1), Uint8Array.of(2)],
      },
      {
        type: 'acceptRecords',
        token: 2,
        peer: 'b',
        healed: false,
        attestations: [],
        records: [Uint8Array.of(1)],
      },
    ])
  })

  it('that comes twice, or after a later one, is passed over', () => {
    take(0)
    take(3)
    take(0)
    take(3)
    take(2)
    expect(tokens()).toHaveLength(2)
    take(4)
    expect(tokens()).toHaveLength(1)
  })

  it('takes what was granted, and no more', () => {
    peer.granted = 2 * frameCost(new Uint8Array(100))
    take(0)
    expect(peer.granted).toBe(612)
    take(1)
    expect([peer.granted, shared.refused]).toEqual([0, []])
    shared.take()
    take(2)
    expect(shared.refused).toEqual(['b: it sends more than it was granted'])
    expect([shared.take(), peer.intake.length]).toEqual([[], 2])
  })
})

describe('frames are acknowledged', () => {
  it('with what is missing, and their credit comes back', () => {
    take(0, { records: 4 })
    const [token] = tokens()
    expect(peer.granted).toBe(WINDOW - 612)
    intake.accepted(token!, ['held', 'future', 'held', 'forged'])
    expect(acknowledged()).toEqual([[0, [1, 3]]])
    expect([peer.granted, peer.forged.size, settled]).toEqual([WINDOW, 1, ['b']])
    expect([peer.intake, peer.judged]).toEqual([[], []])
  })

  it('in the order they came', () => {
    for (const number of [0, 1, 2]) take(number)
    const [first, second, third] = tokens()
    intake.accepted(second!, held(1))
    expect(acknowledged()).toEqual([])
    intake.accepted(first!, held(1))
    expect(acknowledged()).toEqual([
      [0, []],
      [1, []],
    ])
    expect(settled).toEqual([])
    intake.accepted(third!, held(1))
    expect(acknowledged()).toEqual([[2, []]])
    expect(settled).toEqual(['b'])
  })

  it('once', () => {
    take(0)
    const [token] = tokens()
    intake.accepted(token!, held(1))
    expect(acknowledged()).toHaveLength(1)
    intake.accepted(token!, held(1))
    intake.accepted(99, held(1))
    expect(acknowledged()).toEqual([])
  })

  it('later, where there was no room', () => {
    take(0)
    take(1)
    const [first, second] = tokens()
    intake.accepted(first!, ['unavailable'])
    expect(shared.take()).toEqual([{ type: 'setTimer', id: 'grant b', afterMs: 1000 }])
    expect([peer.granted, settled]).toEqual([WINDOW - 2 * 612, []])
    intake.accepted(second!, held(1))
    expect(acknowledged()).toEqual([
      [0, [0]],
      [1, []],
    ])
    expect(peer.granted).toBe(WINDOW)
    intake.acknowledge(peer)
    expect(shared.take()).toEqual([])
  })

  it('not to a machine that is gone, or linked anew', () => {
    take(0)
    take(1)
    const [first, second] = tokens()
    shared.peers.set('b', new Peer('b', shared.nowMs))
    intake.accepted(first!, held(1))
    expect(peer.intake[0]?.statuses).toBeNull()
    intake.forget(peer)
    shared.peers.set('b', peer)
    intake.accepted(second!, held(1))
    expect([acknowledged(), peer.intake[1]?.statuses]).toEqual([[], null])
  })
})

describe('a machine', () => {
  it('that passes on more than eight forged records is turned away', () => {
    take(0, { records: 8 })
    take(1, { first: 9 })
    const [first, second] = tokens()
    intake.accepted(
      first!,
      Array.from({ length: 8 }, () => 'forged'),
    )
    expect(shared.refused).toEqual([])
    shared.take()
    intake.accepted(second!, ['forged'])
    expect(shared.refused).toEqual(['b: it sends forged records'])
    expect(shared.take()).toEqual([])
  })

  const all = (status: RecordStatus, count: number): RecordStatus[] =>
    Array.from({ length: count }, () => status)

  it('that passes on any number of forged records has no more of them remembered', () => {
    take(0, { records: 100 })
    intake.accepted(tokens()[0]!, all('forged', 100))
    expect(peer.forged.size).toBe(9)
  })

  it('that sends one forged record again and again is not turned away, but slowed down', () => {
    for (let i = 0; i < 1000; i++) {
      take(i)
      intake.accepted(tokens()[0]!, ['forged'])
    }
    expect([peer.judged, shared.refused]).toEqual([[], []])
    shared.take()
    take(1000)
    intake.accepted(tokens()[0]!, ['forged'])
    expect(shared.take()).toEqual([{ type: 'setTimer', id: 'grant b', afterMs: 10 }])
  })

  it('that has records over a limit is not turned away, but slowed down', () => {
    take(0, { records: 200 })
    intake.accepted(tokens()[0]!, all('over-limit', 200))
    expect(acknowledged()).toEqual([[0, all('held', 200).map((_, i) => i)]])
    for (let i = 1; i < 5; i++) {
      take(i, { records: 200 })
      intake.accepted(tokens()[0]!, all('over-limit', 200))
    }
    expect([peer.judged, shared.refused]).toEqual([[], []])
    shared.take()
    take(5, { records: 10 })
    intake.accepted(tokens()[0]!, all('over-limit', 10))
    expect(shared.take()).toEqual([{ type: 'setTimer', id: 'grant b', afterMs: 100 }])
  })

  it('that costs more signatures than its budget allows is granted later', () => {
    take(0, { records: 10_000, forms: 10_000 })
    const [first] = tokens()
    intake.accepted(first!, held(10_000))
    expect(acknowledged()).toHaveLength(1)
    take(1, { records: 10, forms: 10 })
    const [second] = tokens()
    intake.accepted(second!, held(10))
    expect(shared.take()).toEqual([{ type: 'setTimer', id: 'grant b', afterMs: 1 }])
    shared.nowMs += 1
    intake.acknowledge(peer)
    expect(acknowledged()).toEqual([[1, []]])
  })

  it('that sends more bytes than its budget allows is granted later', () => {
    peer.granted = 100_000_000
    take(0, { sizeBytes: 32_000_000 - 512 })
    intake.accepted(tokens()[0]!, held(1))
    expect(acknowledged()).toHaveLength(1)
    take(1, { sizeBytes: 64_000 - 512 })
    intake.accepted(tokens()[0]!, held(1))
    expect(shared.take()).toEqual([{ type: 'setTimer', id: 'grant b', afterMs: 2 }])
  })

  const DAY_MS = 24 * 3_600_000
  /** What a thousand and so many records that came from a machine cost it in waiting. */
  function waitMs(timeMs: number, more: number, from: string | null = 'b'): number {
    const records = Array.from(
      { length: 1000 + more },
      (_, i): MergedItem => ({ item: itemAt(timeMs, `${i}`), from, healed: false }),
    )
    intake.chargeOldDated(records)
    take(peer.nextFrame)
    intake.accepted(tokens()[0]!, held(1))
    const [effect] = shared.take()
    return effect?.type === 'setTimer' ? effect.afterMs : 0
  }

  it('that sends records of long ago which nobody missed is granted later', () => {
    expect(waitMs(WALL_MS - DAY_MS, 500)).toBe(0)
    expect(waitMs(WALL_MS - DAY_MS - 1, 0)).toBe(0)
    expect(waitMs(WALL_MS - DAY_MS - 1, -999)).toBe(100)
  })

  it('that heals what was found to differ is not', () => {
    peer.differedMs = shared.nowMs - 119_999
    expect(waitMs(0, 500)).toBe(0)
    peer.differedMs = shared.nowMs - 120_000
    expect(waitMs(0, 1)).toBe(100)
  })

  it('is not charged for what others sent, or what was written here', () => {
    shared.greeted('c')
    expect(waitMs(0, 500, 'c')).toBe(0)
    expect(waitMs(0, 500, null)).toBe(0)
    expect(waitMs(0, 500, 'segment')).toBe(0)
    expect(waitMs(0, 500, 'gone')).toBe(0)
  })
})

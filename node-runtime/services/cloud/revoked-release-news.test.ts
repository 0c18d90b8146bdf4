import { afterEach, beforeEach, expect, it } from 'vitest'
import { signReleaseRevocation } from '../../core/admission/release-form.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import { PeerFault } from '../../swarm/peer-fault.ts'
import { keyOf, keysOf } from '../../testing/entries.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { Broadcasts } from './broadcasts.ts'
import { RevokedReleaseNews } from './revoked-release-news.ts'

const cloud = keyOf('cloud')

/** Taken back by the key of that name. */
function revoke(release: string, signer = 'owner'): SignedForm {
  return signReleaseRevocation(
    { cloud, release: keyOf(release), signer: keyOf(signer), sequence: 1 },
    keysOf(signer).secretKey,
  )
}

let own: FakeNetwork
let liar: FakeNetwork
let friend: FakeNetwork
let broadcasts: Broadcasts
let listening: Broadcasts
let news: RevokedReleaseNews
/** What was to be kept, each time. */
let kept: string[][]
let isDiskFull: boolean
/** How often more were known. */
let grown: number
let nowMs: number
/** What the friend was told. */
let told: string[]
beforeEach(() => {
  kept = []
  told = []
  isDiskFull = false
  grown = 0
  nowMs = 0
  own = new FakeNetwork(keyOf('own'))
  liar = new FakeNetwork(keyOf('liar'))
  friend = new FakeNetwork(keyOf('friend'))
  broadcasts = new Broadcasts({ machine: own.machine, network: own, log: silentLog })
  news = new RevokedReleaseNews({
    keys: () => ({ cloud, keys: [keyOf('owner')] }),
    keep: async (all) => {
      kept.push(all.map(({ body }) => body))
      if (isDiskFull) throw new Error('no space is left')
    },
    grew: () => void grown++,
    nowMs: () => nowMs,
    log: silentLog,
  })
  news.attach(own, broadcasts)
  listening = new Broadcasts({ machine: friend.machine, network: friend, log: silentLog })
  listening.open('revoked-release', (body) => told.push(body) > 0)
  own.link(liar)
  own.link(friend)
})
afterEach(() => {
  news.close()
  broadcasts.close()
  listening.close()
})

function tell(...revocations: SignedForm[]): void {
  const bytes = Buffer.from(JSON.stringify({ revocations }))
  own.receive('dharma/revoked-releases/1', liar, bytes)
}

it('a forged revocation keeps from nobody what is true beside it', () => {
  const genuine = revoke('release')
  expect(() => tell(genuine, revoke('another', 'liar'), revoke('third'))).toThrow(PeerFault)
  expect([...news.releases]).toEqual([keyOf('release')])
  expect(kept).toEqual([[genuine.body]])
  friend.deliver()
  expect(told).toEqual([JSON.stringify(genuine)])
  expect(() => tell(revoke('another', 'liar'))).toThrow(PeerFault)
  expect(kept).toHaveLength(1)
})

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('what could not be kept is kept when somebody tells of it again, and no more after that', async () => {
  const genuine = revoke('release')
  isDiskFull = true
  tell(genuine)
  await settle()
  isDiskFull = false
  for (let at = 0; at < 3; at++) {
    tell(genuine)
    await settle()
  }
  expect(kept).toEqual([[genuine.body], [genuine.body]])
  friend.deliver()
  expect(told).toHaveLength(1)
})

it('while the disk is full it is tried once in half a minute, one time after the other, and never for nothing', async () => {
  const genuine = revoke('release')
  isDiskFull = true
  tell(genuine)
  await settle()
  for (let at = 0; at < 100; at++) tell()
  await settle()
  expect(kept).toHaveLength(1)
  for (let at = 0; at < 100; at++) tell(genuine)
  await settle()
  expect(kept).toHaveLength(2)
  nowMs = 29_999
  tell(genuine)
  expect(kept).toHaveLength(2)
  nowMs = 30_000
  for (let at = 0; at < 100; at++) tell(genuine)
  await settle()
  expect(kept).toHaveLength(3)
})

it('machines are asked again once for all that came while it was written down, and for nothing that was known', async () => {
  for (const release of ['first', 'second', 'third']) tell(revoke(release))
  await settle()
  expect([kept.length, grown]).toEqual([3, 1])
  isDiskFull = true
  tell(revoke('fourth'))
  await settle()
  expect(grown).toBe(1)
  isDiskFull = false
  tell(revoke('fourth'))
  await settle()
  expect([kept.length, grown]).toEqual([5, 2])
})

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
/** What the friend was told. */
let told: string[]
beforeEach(() => {
  kept = []
  told = []
  isDiskFull = false
  own = new FakeNetwork(keyOf('own'))
  liar = new FakeNetwork(keyOf('liar'))
  friend = new FakeNetwork(keyOf('friend'))
  broadcasts = new Broadcasts({ machine: own.machine, network: own, log: silentLog })
  news = new RevokedReleaseNews({
    keys: () => ({ cloud, keys: [keyOf('owner')] }),
    came: async (all) => {
      kept.push(all.map(({ body }) => body))
      if (isDiskFull) throw new Error('no space is left')
    },
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

it('what could not be kept is kept when somebody tells of it again, and no more after that', async () => {
  const genuine = revoke('release')
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
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

// Whose connections are taken for ones that only make way for a link. That links move is shown by `nat.test.ts`.
import { beforeEach, expect, it } from 'vitest'
import { encodeKey, hash, keyPair } from '../../core/keys.ts'
import type { KeyPair } from '../../core/keys.ts'
import { provePunch } from '../../core/relay/key-proofs.ts'
import type { ProvedKey } from '../../core/relay/key-proofs.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { PeerFault } from '../peer-fault.ts'
import { Punching } from './punching.ts'

const keysOf = (name: string): KeyPair => keyPair(hash(Buffer.from(name)))
const keyOf = (name: string): string => encodeKey(keysOf(name).publicKey)
const [ada, ben, cleo] = [keyOf('ada'), keyOf('ben'), keyOf('cleo')]

let own: FakeNetwork
let other: FakeNetwork
let punching: Punching
beforeEach(() => {
  own = new FakeNetwork(ada)
  other = new FakeNetwork(ben)
  punching = new Punching({
    machine: ada,
    links: {
      openProtocol: (definition) => own.openProtocol(definition),
      values: () => [],
      get: () => undefined,
    },
    routes: { isThroughRelay: () => true },
    dht: {
      connect: () => {
        throw new Error('nobody is dialled here')
      },
    },
  })
  own.link(other)
})

const asks = (proved: ProvedKey): boolean =>
  own.receive('dharma/punch/1', other, Buffer.from(JSON.stringify({ kind: 'ask', ...proved })))

it('who dials under a key that the other side of a link has made is expected, once', () => {
  const proved = provePunch(keysOf('once'), ben, ada)
  expect(asks(proved)).toBe(true)
  expect(punching.expects(proved.key)).toBe(true)
  const again = provePunch(keysOf('once more'), ben, ada)
  expect(asks(again)).toBe(true)
  expect(punching.expects(proved.key)).toBe(false)
  expect(punching.expects(again.key)).toBe(true)
})

it('nobody keeps another machine from linking by naming one that is another’s', () => {
  const others = provePunch(keysOf('cleo'), cleo, ada)
  const stolen = { ...provePunch(keysOf('once'), ben, ada), key: cleo }
  const elsewhere = provePunch(keysOf('once'), ben, cleo)
  for (const offer of [others, stolen, elsewhere]) expect(() => asks(offer)).toThrow(PeerFault)
  expect(asks({ key: cleo } as ProvedKey)).toBe(false)
  for (const key of [cleo, keyOf('once')]) expect(punching.expects(key)).toBe(false)
})

it('who asks again and again makes no work without an end', () => {
  let asked = 0
  const proved = provePunch(keysOf('once'), ben, ada)
  expect(() => {
    for (; asked < 1_000; asked++) asks(proved)
  }).toThrow(PeerFault)
  expect(asked).toBeLessThan(50)
})

import { expect, it } from 'vitest'
import { keyOf } from '../../testing/entries.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { PlyBoard } from './ply-board.ts'

it('one machine that is announced in all seats of many sessions is asked once for each', async () => {
  const [own, other] = [new FakeNetwork(keyOf('own')), new FakeNetwork(keyOf('other'))]
  const sessions = Array.from({ length: 500 }, (_, i) => i.toString(16).padStart(64, '0'))
  const asking = new PlyBoard(own, () => null)
  const asked = new PlyBoard(other, (session) => Number.parseInt(session, 16))
  own.link(other)
  const wanted = sessions.flatMap((session) =>
    Array.from({ length: 16 }, () => ({ session, machine: keyOf('other') })),
  )
  const answer = asking.ask(wanted)
  other.deliver()
  own.deliver()
  const plies = await answer
  expect(sessions.map((session) => plies.get(session))).toEqual(sessions.map((_, i) => i))
  asking.close()
  asked.close()
})

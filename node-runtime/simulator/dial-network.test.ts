import { expect, it } from 'vitest'
import { DialNetwork } from './dial-network.ts'
import type { Caller } from './dial-network.ts'
import { seededRandom } from './random.ts'
import { World } from './world.ts'

function caller(key: string, said: string[]): Caller<string> {
  return {
    key,
    network: '10.1',
    isUp: true,
    isStalled: false,
    opened: (peer) => void said.push(`${key} has ${peer}`),
    closed: (peer) => void said.push(`${key} lost ${peer}`),
    doubted: () => {},
    received: () => {},
  }
}

it('two that hang up at once can dial each other again', () => {
  const world = new World()
  const faults = { delayMs: 50, jitterMs: 0, loss: 0, isEven: true }
  const network = new DialNetwork<string>(world, seededRandom(1), faults)
  const said: string[] = []
  const [a, b] = [caller('a', said), caller('b', said)]
  network.dial(a, b)
  world.run(1_000)
  network.hangUp('a', 'b')
  network.hangUp('b', 'a')
  world.run(1_000)
  network.dial(b, a)
  world.run(1_000)
  expect(said).toEqual(['a has b', 'b has a', 'a lost b', 'b lost a', 'b has a', 'a has b'])
})

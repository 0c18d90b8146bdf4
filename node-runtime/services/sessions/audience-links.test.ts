import { afterEach, expect, test, vi } from 'vitest'
import { MAX_FORM_CHARS } from '../../contract/values.ts'
import type { SignedForm } from '../../contract/values.ts'
import { FakeNetwork } from '../../testing/fake-network.ts'
import { AudienceLinks } from './audience-links.ts'

const SESSION = 'a'.repeat(64)
const open: AudienceLinks[] = []

afterEach(() => {
  for (const links of open.splice(0)) links.close()
  vi.useRealTimers()
})

/** A player's machine, with the bodies of the forms that reach it ahead of their log. */
function player(machine: string, other: string) {
  const network = new FakeNetwork(machine)
  const arrived: string[] = []
  const faults: unknown[] = []
  const links = new AudienceLinks({
    network,
    machine,
    logsOf: () => [],
    onAction: (_session, ...forms) => arrived.push(...forms.map(({ body }) => body)),
    onPeers: () => {},
    log: {
      info: () => {},
      warn: () => {},
      error: (_, { error } = {}) => void faults.push(error),
    },
  })
  open.push(links)
  const follow = (): void =>
    links.follow({ session: SESSION, seated: true, seatMachines: [other], length: 0 })
  return { network, links, arrived, faults, follow }
}

test.each(['x', '\u20ac', '"'])('any form that can be signed can be sent ahead: of %s', (char) => {
  const [ann, bob] = [player('ann', 'bob'), player('bob', 'ann')]
  ann.network.link(bob.network)
  for (const { follow } of [ann, bob]) follow()
  const deliver = (): void => {
    while ([ann, bob].map(({ network }) => network.deliver()).includes(true));
  }
  deliver()
  const largest: SignedForm = { body: char.repeat(MAX_FORM_CHARS), signature: '0'.repeat(128) }
  ann.links.push(SESSION, largest, largest)
  deliver()
  expect(bob.arrived).toEqual([largest.body, largest.body])
})

test('it goes on after a fault of who dials, and tells of it', () => {
  vi.useFakeTimers()
  const { network, links, faults, follow } = player('ann', 'bob')
  const fault = new Error('the network is of no use')
  const reach = vi.spyOn(network, 'reach').mockImplementation(() => {
    throw fault
  })
  follow()
  expect(faults).toEqual([fault])
  reach.mockRestore()
  links.unfollow(SESSION)
  follow()
  expect([faults, [...network.reached]]).toEqual([[fault], ['bob']])
})

test('it keeps no timer for what is not followed any more, nor after it was closed', () => {
  vi.useFakeTimers()
  const { links, follow } = player('ann', 'bob')
  follow()
  expect(vi.getTimerCount()).toBeGreaterThan(0)
  links.unfollow(SESSION)
  expect(vi.getTimerCount()).toBe(0)
  follow()
  expect(vi.getTimerCount()).toBeGreaterThan(0)
  links.close()
  expect(vi.getTimerCount()).toBe(0)
})

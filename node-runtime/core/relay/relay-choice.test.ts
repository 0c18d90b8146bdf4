import { expect, it } from 'vitest'
import { chooseRelays, MAX_RELAYS } from './relay-choice.ts'
import type { RelayOffer } from './relay-choice.ts'

const offer = (machine: string, host: string | null, latencyMs: number | null): RelayOffer => ({
  machine,
  key: `key of ${machine}`,
  host,
  latencyMs,
})
const chosen = (offers: RelayOffer[]): string[] =>
  chooseRelays(offers).map(({ machine }) => machine)

it('the nearest are taken, each from another network', () => {
  const offers = [
    offer('far', '20.0.0.1', 200),
    offer('unmeasured', '30.0.0.1', null),
    offer('near', '10.1.0.1', 10),
    offer('its neighbour', '10.1.200.1', 11),
    offer('middle', '10.2.0.1', 50),
  ]
  expect(chosen(offers)).toEqual(['near', 'middle', 'far'])
  expect(chosen(offers.slice(0, 2))).toEqual(['far', 'unmeasured'])
  expect(chosen([offer('one', '1.23.0.1', 1), offer('other', '12.3.0.1', 2)])).toHaveLength(2)
})

it('machines of this very computer count as they are, and never too many', () => {
  const offers = ['a', 'b', 'c', 'd'].map((machine) => offer(machine, null, null))
  expect(chosen(offers)).toHaveLength(MAX_RELAYS)
  expect(chosen([])).toEqual([])
})

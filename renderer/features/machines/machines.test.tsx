// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import { App } from '../../app/app.tsx'
import { OTHER_KEY, SELF_KEY, createFakeRuntime, machine, status } from '../../test/fake-runtime.ts'
import { renderInShell } from '../../test/window.tsx'
import { describeLatency } from './latency.ts'

function names(): (string | null | undefined)[] {
  const [, ...rows] = within(screen.getByRole('table', { name: 'Machines' })).getAllByRole('row')
  return rows.map((row) => within(row).getAllByRole('cell')[0]?.textContent)
}

async function renderMachines() {
  const fake = createFakeRuntime()
  fake.cloud.set({
    status: status({ state: 'joined', machinesKnown: 3, machinesOnline: 2 }),
    machines: [
      machine({ machine: OTHER_KEY, name: 'Attic', latencyMs: 12, kind: 'headless' }),
      machine({ self: true, name: 'Kitchen' }),
      machine({
        machine: `${OTHER_KEY.slice(0, 51)}y`,
        name: 'Barn',
        online: false,
        lastSeenMs: 0,
      }),
    ],
  })
  const view = renderInShell(<App />, fake)
  fireEvent.click(screen.getByRole('link', { name: 'Machines' }))
  await screen.findByRole('table', { name: 'Machines' })
  return view
}

test('all machines with their state: own first, offline last', async () => {
  await renderMachines()
  expect(names()).toEqual(['Kitchen', 'Attic', 'Barn'])
  screen.getByText('2 of 3 machines online.')
  const attic = screen.getByRole('row', { name: /Attic/ })
  within(attic).getByText('Online')
  within(attic).getByText('12 ms')
  within(screen.getByRole('row', { name: /Barn/ })).getByText('Offline')
  screen.getByRole('img', { name: 'This machine has links to 1 of 2 others.' })
})

test('the ring turns with the token, and says how long a lap takes', async () => {
  const { fake } = await renderMachines()
  expect(screen.queryByText('Lap')).toBeNull()
  const lap = { epoch: 1, lapMs: 2_140, hops: 2, hopMs: 0.42, skewMs: 0.05 }
  fake.ring.set({ machines: [SELF_KEY, OTHER_KEY], lap, tick: 7 })
  await screen.findByText('2.1 s')
  screen.getByText('0.4 ms')
  fake.ring.set({ machines: [SELF_KEY], lap: null, tick: 8 })
  await waitFor(() => expect(screen.queryByText('Lap')).toBeNull())
})

test('the table sorts by its heads and filters, and live values change in place', async () => {
  const { fake } = await renderMachines()
  fireEvent.click(screen.getByRole('button', { name: 'Name' }))
  expect(names()).toEqual(['Attic', 'Barn', 'Kitchen'])
  fireEvent.click(screen.getByRole('button', { name: 'Name' }))
  expect(names()).toEqual(['Kitchen', 'Barn', 'Attic'])

  const row = screen.getByRole('row', { name: /Attic/ })
  const { status: now, machines } = fake.cloud.value
  fake.cloud.set({
    status: now,
    machines: machines.map((each) => (each.name === 'Attic' ? { ...each, latencyMs: 34 } : each)),
  })
  await waitFor(() => within(row).getByText('34 ms'))

  fireEvent.change(screen.getByRole('searchbox', { name: 'Filter machines' }), {
    target: { value: 'offline' },
  })
  expect(names()).toEqual(['Barn'])
  fireEvent.change(screen.getByRole('searchbox', { name: 'Filter machines' }), {
    target: { value: 'nobody' },
  })
  screen.getByText('No machine fits the filter')
})

test('latency has a figure after the point only where it says something', () => {
  expect([0.04, 3.21, 9.96, 12.4].map(describeLatency)).toEqual([
    '0.0 ms',
    '3.2 ms',
    '10.0 ms',
    '12 ms',
  ])
})

// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react'
import { expect, test } from 'vitest'
import type { MachineInfo } from '../../../node-runtime/contract/machines.ts'
import { App } from '../../app/app.tsx'
import { createFakeRuntime } from '../../test/fake-runtime.ts'
import { OTHER_KEY, SELF_KEY, machine, status } from '../../test/samples.ts'
import { renderInShell } from '../../test/window.tsx'
import { describeLatency } from './latency.ts'
import { layOut } from './map-layout.ts'

function names(): (string | null | undefined)[] {
  const [, ...rows] = within(screen.getByRole('table', { name: 'Machines' })).getAllByRole('row')
  return rows.map((row) => within(row).getAllByRole('cell')[0]?.textContent)
}

async function renderMachines() {
  const fake = createFakeRuntime()
  fake.cloud.set({
    status: status({ state: 'joined', machinesKnown: 3, machinesOnline: 2, machinesEstimated: 2 }),
    machines: [
      machine({ machine: OTHER_KEY, name: 'Attic', latencyMs: 12, kind: 'headless' }),
      machine({ self: true, name: 'Kitchen' }),
      machine({
        machine: `${OTHER_KEY.slice(0, 51)}y`,
        name: 'Barn',
        online: false,
        linked: false,
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
  const barn = screen.getByRole('row', { name: /Barn/ })
  within(barn).getByText('Offline')
  within(barn).getByText('never')
  expect([attic, barn].map(({ className }) => className)).toEqual(['', 'row-faint'])
  screen.getByText('This machine has links to 1 of 2 others.')
})

test('the ring turns with the token, and says how long a lap takes', async () => {
  const { fake } = await renderMachines()
  screen.getByText(/its first lap is under way/)
  const lap = { epoch: 1, lapMs: 2_140, hops: 2, hopMs: 0.42, skewMs: 0.05 }
  fake.ring.set({ machines: [SELF_KEY, OTHER_KEY], lap, tick: 7 })
  await screen.findByText('2.1 s')
  screen.getByText('0.4 ms')
  screen.getByText('both machines')
  // One has just come, and was not on its way.
  fake.ring.set({ machines: [SELF_KEY, OTHER_KEY], lap: { ...lap, hops: 1 }, tick: 8 })
  await screen.findByText('1 of 2 machines')
  fake.ring.set({ machines: [SELF_KEY], lap: null, tick: 8 })
  await waitFor(() => expect(screen.queryByText('Lap')).toBeNull())
})

test('of a large cloud it is said how many machines it has, and how many are known', async () => {
  const { fake } = await renderMachines()
  const { machines } = fake.cloud.value
  const now = { ...fake.cloud.value.status, machinesEstimated: 12_345 }
  fake.cloud.set({ machines, status: now })
  await screen.findByText(
    'The cloud has about 12,000 machines. This machine knows 3 of them; 2 are online.',
  )
  screen.getByRole('button', { name: 'Cloud: about 12,000 machines' })
})

test('a machine that is chosen is shown with its links, rings, computer and latencies', async () => {
  const { fake } = await renderMachines()
  fireEvent.click(screen.getByRole('button', { name: 'Attic' }))
  const panel = await screen.findByRole('region', { name: 'The chosen machine' })
  await within(panel).findByRole('img', {
    name: 'Round trips of the last minute: from 12 ms to 14 ms.',
  })
  for (const words of [
    'Direct, to 192.0.2.9:4000',
    'Of this machine, on rings 1 and 3',
    '4 cores, 8.0 GB of memory',
    '0.1.0, protocol 2',
  ]) {
    within(panel).getByText(words)
  }
  const change = (changes: Partial<MachineInfo>): void => {
    const { status: now, machines } = fake.cloud.value
    fake.cloud.set({
      status: now,
      machines: machines.map((one) => (one.name === 'Attic' ? { ...one, ...changes } : one)),
    })
  }
  change({ relayed: true })
  await within(panel).findByText('No direct way has come yet')
  fake.connection.set({ ...fake.connection.value, nat: 'symmetric' })
  await within(panel).findByText(/router gives each of the others another port/)
  change({ online: false, linked: false, relayed: false, suspected: true })
  await within(panel).findByText('Suspected')
  within(panel).getByText('None with this machine')
  within(screen.getByRole('row', { name: /Attic/ })).getByText('Suspected')
  fireEvent.click(within(panel).getByRole('button', { name: 'Close' }))
  await screen.findByRole('heading', { name: 'Around the ring' })
})

test('who is alone is sent to where others are invited', async () => {
  renderInShell(<App />)
  fireEvent.click(screen.getByRole('link', { name: 'Machines' }))
  fireEvent.click(await screen.findByRole('button', { name: 'Invite others' }))
  await screen.findByRole('heading', { name: 'Invite others' })
})

test('the map grows and shrinks with keys and buttons', async () => {
  await renderMachines()
  const map = screen.getByRole('slider', { name: 'Map of the machines' })
  const whole = screen.getByRole<HTMLButtonElement>('button', { name: 'The whole map' })
  expect(whole.disabled).toBe(true)
  fireEvent.keyDown(map, { key: '+' })
  expect(whole.disabled).toBe(false)
  fireEvent.keyDown(map, { key: '0' })
  expect(whole.disabled).toBe(true)
  fireEvent.wheel(map, { deltaY: -200 })
  expect(whole.disabled).toBe(true)
  fireEvent.wheel(map, { deltaY: -200, ctrlKey: true })
  expect(whole.disabled).toBe(false)
  fireEvent.click(screen.getByRole('button', { name: 'Smaller' }))
  fireEvent.click(screen.getByRole('button', { name: 'Smaller' }))
  expect(whole.disabled).toBe(true)
})

test('the table sorts by its heads and filters, and live values change in place', async () => {
  const { fake } = await renderMachines()
  fireEvent.click(screen.getByRole('button', { name: 'Name' }))
  expect(names()).toEqual(['Attic', 'Barn', 'Kitchen'])
  const sortOf = (name: string): string | null =>
    screen.getByRole('columnheader', { name }).getAttribute('aria-sort')
  expect([sortOf('Name'), sortOf('State'), sortOf('Key')]).toEqual(['ascending', 'none', null])
  fireEvent.click(screen.getByRole('button', { name: 'Name' }))
  expect(names()).toEqual(['Kitchen', 'Barn', 'Attic'])
  expect(sortOf('Name')).toBe('descending')
  // Whoever has none comes last.
  fireEvent.click(screen.getByRole('button', { name: 'Latency' }))
  expect(names()[0]).toBe('Attic')
  fireEvent.click(screen.getByRole('button', { name: 'Name' }))

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
  await waitFor(() => expect(names()).toEqual(['Barn']), { timeout: 10_000 })
  fireEvent.change(screen.getByRole('searchbox', { name: 'Filter machines' }), {
    target: { value: 'attic offline' },
  })
  await screen.findByText('No machine fits the filter', {}, { timeout: 10_000 })
  fireEvent.click(screen.getByRole('button', { name: 'Show all' }))
  await waitFor(() => expect(names()).toHaveLength(3), { timeout: 10_000 })
})

test('latency has a figure after the point only where it says something', () => {
  expect([0.04, 3.21, 9.96, 12.4].map(describeLatency)).toEqual([
    '0.0 ms',
    '3.2 ms',
    '10.0 ms',
    '12 ms',
  ])
})

/** This machine and 999 that stand evenly around it. */
function thousand() {
  const letters = 'ybndrfg8ejkmcpqxot1uwisza345h769'
  return Array.from({ length: 1_000 }, (_, index) =>
    machine({
      machine:
        index === 0
          ? SELF_KEY
          : `${letters[index >> 5]}${letters[index & 31]}${OTHER_KEY.slice(2)}`,
      name: `Machine ${index}`,
      self: index === 0,
      linked: index % 100 === 1,
      place: (0.25 + index / 1_000) % 1,
    }),
  )
}

test('of a thousand machines a click on the map, or Enter, chooses the row, wherever it stands', async () => {
  const { fake } = await renderMachines()
  const machines = thousand()
  fake.cloud.set({ ...fake.cloud.value, machines })
  await screen.findByText('This machine has links to 10 of 999 others.')
  const map = screen.getByRole('slider', { name: 'Map of the machines' })
  const dot = layOut(machines)[250]!
  // A quarter around from this machine, which is on top.
  expect([dot.machine.name, dot.x, dot.y]).toEqual([
    'Machine 250',
    expect.closeTo(0.94),
    expect.closeTo(0.5),
  ])
  const at = { clientX: dot.x * 360, clientY: dot.y * 360 }
  fireEvent.pointerMove(map, at)
  expect(map.getAttribute('aria-valuetext')).toBe('Machine 250, online')
  fireEvent.click(map, at)
  const chosenRow = (): string | null | undefined =>
    document.querySelector('tr[aria-current] .machine-name')?.textContent
  const scroller = screen.getByRole('region', { name: 'Machines' })
  await waitFor(() => expect(scroller.scrollTop).toBeGreaterThan(0))
  fireEvent.scroll(scroller)
  await waitFor(() => expect(chosenRow()).toBe('Machine 250'))
  fireEvent.keyDown(map, { key: 'Home' })
  fireEvent.keyDown(map, { key: 'Enter' })
  await waitFor(() => expect(scroller.scrollTop).toBeLessThanOrEqual(0))
  fireEvent.scroll(scroller)
  await waitFor(() => expect(chosenRow()).toBe('Machine 0'))
})

test('who is not there, is revoked, or has no known place, stands within the ring', () => {
  const dots = layOut([
    machine({ self: true, place: 0.9 }),
    machine({ machine: OTHER_KEY, online: false, linked: false, place: 0.4 }),
    machine({ machine: `${OTHER_KEY.slice(0, 51)}y`, place: null }),
    machine({ machine: `${OTHER_KEY.slice(0, 51)}b`, revoked: true, place: 0.2 }),
  ])
  const radii = dots.map(({ x, y }) => Math.hypot(x - 0.5, y - 0.5))
  expect(radii).toEqual([0.44, 0.28, 0.28, 0.28].map((radius) => expect.closeTo(radius)))
})

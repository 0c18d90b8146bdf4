import { expect, it } from 'vitest'
import type { PortsReport } from '../../contract/connection.ts'
import type { MappingStatus } from '../../core/port-mapping/mapping-core.ts'
import { reportConnection } from './connection-report.ts'

function portsOf(status: MappingStatus | null, on = true): PortsReport {
  return reportConnection({
    state: 'looking',
    admission: { kind: 'open', state: 'in', fault: null, hearsay: false },
    ways: [],
    lists: [],
    links: { direct: 0, relayed: 0 },
    relaying: null,
    nat: 'home',
    addresses: [],
    clock: { state: 'unknown', skewMs: null, machines: 0, tickSkewMs: null, message: '' },
    ports: { on, status, nowMs: 1_000, wallMs: 1_700_000_000_000 },
  }).ports
}

const address = { host: '11.1.2.3', port: 4_000 }

it('a port at the router is told with who gave it, and until when by the time of day', () => {
  expect(portsOf({ state: 'mapped', by: 'nat-pmp', address, untilMs: 61_000 })).toEqual({
    on: true,
    state: 'mapped',
    by: 'nat-pmp',
    address: '11.1.2.3:4000',
    untilMs: 1_700_000_060_000,
    step: null,
    message: 'The router sends on what comes for 11.1.2.3:4000 (by NAT-PMP).',
  })
  expect(portsOf({ state: 'mapped', by: 'upnp', address, untilMs: null }).untilMs).toBeNull()
})

it('where there is none, it is told why', () => {
  const fault = { step: 'REFUSED', message: 'It does not want to.' }
  expect(portsOf({ state: 'failed', fault })).toMatchObject({ state: 'failed', ...fault })
  expect(portsOf({ state: 'asking' }).state).toBe('asking')
  expect(portsOf({ state: 'off' }, false).message).toContain('can be changed in the settings')
  expect(portsOf(null).message).toContain('was told not to ask')
})

import { expect, it } from 'vitest'
import { isOnLink, localInterfaces } from './interfaces.ts'

it('a host is in the network if it is not beyond a router', () => {
  const network = { host: '192.168.1.5', netmask: '255.255.255.0' }
  expect(isOnLink('192.168.1.77', network)).toBe(true)
  expect(isOnLink('192.168.2.77', network)).toBe(false)
  expect(isOnLink('8.8.8.8', network)).toBe(false)
  expect(isOnLink('200.1.1.1', { host: '200.200.1.1', netmask: '255.0.0.0' })).toBe(true)
  for (const odd of ['', '::1', '192.168.1', '192.168.1.x', '999.168.1.1']) {
    expect(isOnLink(odd, network)).toBe(false)
  }
})

it('the computer itself is a network only when it is asked for', () => {
  expect(localInterfaces('127.0.0.1')).toEqual([{ host: '127.0.0.1', netmask: '255.0.0.0' }])
  expect(localInterfaces().every(({ host }) => !host.startsWith('127.'))).toBe(true)
  expect(localInterfaces('203.0.113.77')).toEqual([])
})

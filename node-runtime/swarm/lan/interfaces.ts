// The local networks that this computer is in, by its own addresses there.
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'

/** A computer with containers has dozens that lead nowhere. */
const MAX_INTERFACES = 8

export interface LocalInterface {
  /** IPv4, of this computer. */
  host: string
  netmask: string
}

/** @param host  only the network with this address of ours; all but the computer itself if absent */
export function localInterfaces(host?: string): LocalInterface[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ family }) => family === 'IPv4')
    .filter(({ address, internal }) => (host === undefined ? !internal : address === host))
    .map(({ address, netmask }) => ({ host: address, netmask }))
    .slice(0, MAX_INTERFACES)
}

/** Is this host in that network, and not beyond its router? (RFC 6762, section 11.) */
export function isOnLink(host: string, { host: own, netmask }: LocalInterface): boolean {
  if (!isIPv4(host) || !isIPv4(own) || !isIPv4(netmask)) return false
  const mask = bitsOf(netmask)
  return (bitsOf(host) & mask) === (bitsOf(own) & mask)
}

function bitsOf(address: string): number {
  return address.split('.').reduce((bits, part) => (bits << 8) | Number(part), 0)
}

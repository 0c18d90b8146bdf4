// The router is asked for a port by UPnP: it is looked for on the local network, and answers for itself; then it is
// spoken to over HTTP. Whatever comes from another address than the router's, or leads to another, is left out.
import { createSocket } from 'node:dgram'
import type { PortMapping } from '../../core/port-mapping/mapping-core.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import { parseIpv4 } from '../../core/port-mapping/ipv4.ts'
import type { PortWish } from '../../core/port-mapping/nat-pmp.ts'
import { readRouterUrl, readSearchAnswer, writeSearch } from '../../core/port-mapping/ssdp.ts'
import type { Gateway } from './gateway.ts'
import { mappingServices, readAnswer, readDescription, writeRequest } from './igd-xml.ts'
import type { IgdAnswer, IgdService } from './igd-xml.ts'
import { badAnswer, refused } from './small-protocols.ts'
import { fetchSmall } from './small-http.ts'

/** Who answers waits up to this long, by chance. */
const ANSWER_WITHIN_S = 1
const SEARCH_WAITS_MS = [500, 1_500]
/** A house with many devices that answer to everything. */
const MOST_HEARD = 64
/** In the next room at most. */
const HOPS = 2
/** What the owner of the router reads in its list. */
const DESCRIPTION = 'Dharma'
/** Another machine has the port; by chance another one is free. */
const TRIES = 3
const FIRST_CHANCE_PORT = 20_000
const CHANCE_PORTS = 40_000

/** Of UPnP and of its gateways (WANIPConnection 2, section 2.3). */
const CONFLICT = 718
const SAME_PORTS_ONLY = 724
const PERMANENT_ONLY = 725

export interface SearchOptions {
  /** To which the question goes; SSDP's but in tests. */
  group: MachineAddress
  /** How long answers are waited for, as a part of what is usual. */
  patience: number
  signal: AbortSignal
}

/** Where the router takes requests. */
export interface Igd {
  gateway: Gateway
  service: IgdService
  controlUrl: URL
}

/**
 * Null if none answers.
 * @throws MappingFailure BAD_ANSWER
 */
export async function findIgd(gateway: Gateway, options: SearchOptions): Promise<Igd | null> {
  const { host, ownHost } = gateway
  const { signal } = options
  const location = await search(gateway, options)
  if (location === null) return null
  const page = await fetchSmall({ url: location, ownHost, signal })
  const description = page?.status === 200 ? readDescription(page.text) : null
  if (description === null) throw badAnswer()
  const base = readRouterUrl(description.baseUrl ?? '', host, location) ?? location
  for (const service of mappingServices(description)) {
    const controlUrl = readRouterUrl(service.controlUrl, host, base)
    if (controlUrl !== null) return { gateway, service, controlUrl }
  }
  throw badAnswer()
}

/** @throws MappingFailure REFUSED or BAD_ANSWER */
export async function mapByIgd(
  igd: Igd,
  wish: PortWish,
  random: () => number,
  signal: AbortSignal,
): Promise<PortMapping> {
  const outside = await call(igd, 'GetExternalIPAddress', [], signal)
  const host = 'values' in outside ? outside.values.get('NewExternalIPAddress') : undefined
  if (host === undefined || parseIpv4(host) === null) throw badAnswer()
  let { externalPort: port, lifetimeS } = wish
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = await call(
      igd,
      'AddPortMapping',
      [
        ['NewRemoteHost', ''],
        ['NewExternalPort', port],
        ['NewProtocol', 'UDP'],
        ['NewInternalPort', wish.internalPort],
        ['NewInternalClient', igd.gateway.ownHost],
        ['NewEnabled', 1],
        ['NewPortMappingDescription', DESCRIPTION],
        ['NewLeaseDuration', lifetimeS],
      ],
      signal,
    )
    if ('values' in answer) {
      const lifetimeMs = lifetimeS === 0 ? null : lifetimeS * 1_000
      return { by: 'upnp', address: { host, port }, lifetimeMs }
    }
    if (answer.faultCode === PERMANENT_ONLY) lifetimeS = 0
    else if (answer.faultCode === SAME_PORTS_ONLY) port = wish.internalPort
    else if (answer.faultCode === CONFLICT) {
      port = FIRST_CHANCE_PORT + Math.floor(random() * CHANCE_PORTS)
    } else throw refused(`fault ${answer.faultCode} of UPnP`)
  }
  throw refused('others have the ports that were asked for')
}

/** Takes a mapping back, as far as the router does. @throws MappingFailure BAD_ANSWER */
export async function unmapByIgd(
  igd: Igd,
  externalPort: number,
  signal: AbortSignal,
): Promise<void> {
  await call(
    igd,
    'DeletePortMapping',
    [
      ['NewRemoteHost', ''],
      ['NewExternalPort', externalPort],
      ['NewProtocol', 'UDP'],
    ],
    signal,
  )
}

async function call(
  { gateway, service, controlUrl }: Igd,
  action: string,
  args: readonly (readonly [string, string | number])[],
  signal: AbortSignal,
): Promise<IgdAnswer> {
  const answer = await fetchSmall({
    url: controlUrl,
    ownHost: gateway.ownHost,
    headers: {
      'content-type': 'text/xml; charset="utf-8"',
      soapaction: `"${service.type}#${action}"`,
    },
    body: writeRequest(service, action, args),
    signal,
  })
  const read = answer === null ? null : readAnswer(answer.text, action)
  if (read === null) throw badAnswer()
  return read
}

/** Where the router says that its description is; null if it says nothing. Never rejects. */
function search(
  { host, ownHost }: Gateway,
  { group, patience, signal }: SearchOptions,
): Promise<URL | null> {
  return new Promise((resolve) => {
    const waitsMs = SEARCH_WAITS_MS.map((waitMs) => waitMs * patience)
    const socket = createSocket('udp4')
    let timer: NodeJS.Timeout | undefined
    let heard = 0
    let ended = false
    const end = (url: URL | null): void => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.close()
      resolve(url)
    }
    const abort = (): void => end(null)
    const ask = (): void => {
      const waitMs = waitsMs.shift()
      if (waitMs === undefined) return end(null)
      timer = setTimeout(ask, waitMs)
      socket.send(writeSearch(ANSWER_WITHIN_S), group.port, group.host)
    }
    socket.on('error', () => end(null))
    socket.on('message', (bytes, { address }) => {
      const location = address === host ? readSearchAnswer(bytes) : null
      const url = location === null ? null : readRouterUrl(location, host)
      if (url !== null || ++heard >= MOST_HEARD) end(url)
    })
    if (signal.aborted) return end(null)
    signal.addEventListener('abort', abort)
    socket.bind(0, ownHost, () => {
      if (ended) return
      socket.setMulticastInterface(ownHost)
      socket.setMulticastTTL(HOPS)
      ask()
    })
  })
}

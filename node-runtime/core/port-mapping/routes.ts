// Which router a computer goes through, out of what its system says of its routes.
import { formatIpv4, parseIpv4 } from './ipv4.ts'

/** A table of routes is a few lines; one of a machine with many networks some hundred. */
const MAX_LINES = 4_096

/** Of Linux, `/proc/net/route`: the gateway of the default route with the least metric; null if there is none. */
export function gatewayOfProcRoutes(text: string): string | null {
  let best: { gateway: string; metric: number } | null = null
  for (const line of text.split('\n').slice(1, MAX_LINES)) {
    const [, destination, hex = '', flags = '', , , metricText = '', mask] = line.split(/\s+/)
    const metric = Number(metricText)
    // 1: it is up. 2: by a gateway. Numbers are as they lie in memory, so backwards.
    if (destination !== '00000000' || mask !== '00000000' || !/^[\dA-F]{8}$/.test(hex)) continue
    if ((Number.parseInt(flags, 16) & 3) !== 3 || !Number.isSafeInteger(metric)) continue
    const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))
    if (best !== null && best.metric <= metric) continue
    best = { gateway: formatIpv4(Uint8Array.from(bytes)), metric }
  }
  return best?.gateway ?? null
}

/** Of macOS and BSD, what `route -n get default` prints. */
export function gatewayOfRouteGet(text: string): string | null {
  const [, gateway = ''] = /^\s*gateway:\s*(\S+)\s*$/m.exec(text) ?? []
  return parseIpv4(gateway) === null ? null : gateway
}

/** Of Windows, what `route print -4 0.0.0.0` prints: the default route with the least metric, in any language. */
export function gatewayOfRoutePrint(text: string): string | null {
  let best: { gateway: string; metric: number } | null = null
  for (const line of text.split(/\r?\n/).slice(0, MAX_LINES)) {
    const [destination, mask, gateway = '', , metricText = ''] = line.trim().split(/\s+/)
    if (destination !== '0.0.0.0' || mask !== '0.0.0.0' || parseIpv4(gateway) === null) continue
    const metric = Number(metricText)
    if (!/^\d{1,9}$/.test(metricText) || (best !== null && best.metric <= metric)) continue
    best = { gateway, metric }
  }
  return best?.gateway ?? null
}

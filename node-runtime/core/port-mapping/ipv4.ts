// IPv4 addresses as text and as bytes, and which of them lie behind a router.

const PARTS = 4

/** The bytes of an address in four decimal numbers, as they are usually written; null for anything else. */
export function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.')
  if (parts.length !== PARTS || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return null
  const numbers = parts.map(Number)
  return numbers.every((number) => number <= 255) ? Uint8Array.from(numbers) : null
}

/** @param bytes  four of them */
export function formatIpv4(bytes: Uint8Array): string {
  return [...bytes].join('.')
}

/** Ranges that routers use behind them, carriers' among them (RFC 1918, 3927, 6598). */
const PRIVATE = ['10.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16']
/** Others that nobody on the internet is reached at (RFC 6890, 5771, 1112). */
const NOWHERE = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]

/** Is it an address behind a router, which means something only there? */
export function isPrivateIpv4(text: string): boolean {
  return isIn(PRIVATE, text)
}

/** May it be reached from the whole internet? */
export function isPublicIpv4(text: string): boolean {
  return parseIpv4(text) !== null && !isIn(PRIVATE, text) && !isIn(NOWHERE, text)
}

function isIn(ranges: readonly string[], text: string): boolean {
  const bytes = parseIpv4(text)
  if (bytes === null) return false
  return ranges.some((range) => {
    const [start = '', length = ''] = range.split('/')
    const shift = 32 - Number(length)
    const wanted = parseIpv4(start)
    return wanted !== null && bitsOf(bytes) >>> shift === bitsOf(wanted) >>> shift
  })
}

function bitsOf(bytes: Uint8Array): number {
  return bytes.reduce((bits, byte) => ((bits << 8) | byte) >>> 0, 0)
}

// Bytes as text, exactly: what is no UTF-8 is refused instead of being turned into something else. And
// times in words.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of these bytes, or null if they are not valid UTF-8. Never throws. */
export function decodeText(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    // The one thing a fatal decoder throws for; `null` says it.
    return null
  }
}

/** From the longest to the shortest. */
const UNITS: readonly [word: string, ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
]

/**
 * How long that is, in its two longest units, such as `4 minutes 32 seconds`.
 * @param ms  more than 0; a part of a second counts as one
 */
export function durationText(ms: number): string {
  let leftMs = Math.ceil(ms / 1000) * 1000
  const first = UNITS.findIndex(([, unitMs]) => leftMs >= unitMs)
  const words: string[] = []
  for (const [word, unitMs] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(leftMs / unitMs)
    leftMs -= count * unitMs
    if (count > 0) words.push(`${count} ${word}${count === 1 ? '' : 's'}`)
  }
  return words.join(' ')
}

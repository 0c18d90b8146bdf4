const STEP = 1024
const UNITS = ['bytes', 'kB', 'MB', 'GB'] as const

/** A size in words: `812 bytes`, `4.2 MB`. */
export function describeSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

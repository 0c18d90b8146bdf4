// The order of versions such as 1.2.3 and 2.0.0-beta.1.

/**
 * Does `version` come before `than`? Source of the order: Semantic Versioning 2.0.0, item 11.
 */
export function isOlderVersion(version: string, than: string): boolean {
  return compare(version, than) < 0
}

function compare(one: string, other: string): number {
  const [a, b] = [split(one), split(other)]
  for (const [at, part] of a.numbers.entries()) {
    const difference = part - (b.numbers[at] ?? 0)
    if (difference !== 0) return difference
  }
  // What comes before a release is older than it.
  if (a.before.length === 0 || b.before.length === 0) return b.before.length - a.before.length
  for (const [at, part] of a.before.entries()) {
    const against = b.before[at]
    if (against === undefined) return 1
    const difference = comparePart(part, against)
    if (difference !== 0) return difference
  }
  return a.before.length - b.before.length
}

function split(version: string): { numbers: number[]; before: string[] } {
  const [, release = '', before = ''] = /^([\d.]+)-?(.*)$/.exec(version) ?? []
  return { numbers: release.split('.').map(Number), before: before === '' ? [] : before.split('.') }
}

function comparePart(one: string, other: string): number {
  const [a, b] = [/^\d+$/.test(one), /^\d+$/.test(other)]
  if (a && b) return Number(one) - Number(other)
  if (a !== b) return a ? -1 : 1
  return one < other ? -1 : one > other ? 1 : 0
}

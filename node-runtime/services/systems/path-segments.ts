/**
 * The parts of an address's path, decoded; null if it is malformed, or one of them could lead out of the
 * folder that it is looked up in. Doubled slashes count as one.
 */
export function decodeSegments(address: string): string[] | null {
  try {
    const segments = address
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent)
    const isSafe = segments.every(
      (segment) => segment !== '.' && segment !== '..' && !/[/\\\0]/.test(segment),
    )
    return isSafe ? segments : null
  } catch {
    // A malformed percent sequence.
    return null
  }
}

// The axes of the line of latency: round numbers that hold all that is shown.

const STEPS = [1, 2, 5]
/** Lengths of the time axis, ms. */
const SPANS_MS = [60_000, 120_000, 300_000, 600_000]

/** The least round number, 1, 2 or 5 times a power of ten, that is no less; 1 at least. */
export function roundUp(value: number): number {
  for (let power = 1; ; power *= 10) {
    for (const step of STEPS) if (step * power >= value) return step * power
  }
}

/** How far back the time axis goes, to show that much. */
export function spanFor(lengthMs: number): number {
  return SPANS_MS.find((spanMs) => spanMs >= lengthMs) ?? SPANS_MS.at(-1)!
}

/**
 * The line in parts, as a path: one part for each run of values that has no gap.
 * @param meansMs  the newest last, which stands at the right end
 */
export function latencyPath(
  meansMs: readonly (number | null)[],
  stretchMs: number,
  {
    spanMs,
    topMs,
    width,
    height,
  }: { spanMs: number; topMs: number; width: number; height: number },
): string {
  let pen = 'M'
  let path = ''
  meansMs.forEach((meanMs, index) => {
    const agoMs = (meansMs.length - 1 - index) * stretchMs
    if (meanMs === null || agoMs > spanMs) {
      pen = 'M'
      return
    }
    const x = width * (1 - agoMs / spanMs)
    const y = height * (1 - Math.min(meanMs, topMs) / topMs)
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`
    pen = 'L'
  })
  return path
}

/**
 * How long each of so many pieces of work took, in ms: one after the other, or one every so many ms. A
 * process that sleeps in between is slower at each than one that never does.
 */
export async function timeEach(count, everyMs, work) {
  const times = []
  const beginMs = performance.now()
  while (times.length < count) {
    const waitMs = beginMs + times.length * everyMs - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    const startMs = performance.now()
    await work()
    times.push(performance.now() - startMs)
  }
  return times
}

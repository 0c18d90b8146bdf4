// Waits that end: whatever does not come in time fails its measure instead of stopping the run.

/** Far beyond anything measured here, so that it only ends what is stuck. */
const LIMIT_MS = 60_000
const LOOK_AGAIN_MS = 25

/** The promise, or an error that names what did not happen. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${LIMIT_MS} ms: ${what}`)), LIMIT_MS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks again and again until the answer is yes. Not for anything whose time is measured. */
export async function until(check: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + LIMIT_MS
  while (!(await check())) {
    if (performance.now() > endMs) throw new Error(`not within ${LIMIT_MS} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
  }
}

/** Below a millisecond a figure after the point says something; above, it only flickers. */
export function describeLatency(latencyMs: number): string {
  return latencyMs < 10 ? `${latencyMs.toFixed(1)} ms` : `${Math.round(latencyMs)} ms`
}

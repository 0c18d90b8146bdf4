import type { ReactNode } from 'react'
import type { RingReport } from '../../../node-runtime/contract/machines.ts'
import { describeLatency } from './latency.ts'

/** What the token showed that goes around the machines. */
export function RingFigures({
  report,
  machines,
}: {
  report: RingReport | null
  /** How many the cloud has. */
  machines: number
}): ReactNode {
  const lap = report?.lap ?? null
  return (
    <section className="machine-panel" aria-labelledby="ring-figures">
      <h2 id="ring-figures">Around the ring</h2>
      {lap === null ? (
        <p className="muted">A token goes around the machines; its first lap is under way.</p>
      ) : (
        <>
          <p className="muted">
            A token goes from machine to machine. Its last lap has shown how far they are apart.
          </p>
          <dl className="facts">
            <dt>Lap</dt>
            <dd>{(lap.lapMs / 1_000).toFixed(1)} s</dd>
            <dt>Went through</dt>
            <dd>{describeHops(lap.hops, machines)}</dd>
            <dt>From one to the next</dt>
            <dd>{describeLatency(lap.hopMs)}</dd>
            <dt>Common clock off by</dt>
            <dd>{describeLatency(lap.skewMs)}</dd>
          </dl>
        </>
      )}
      <p className="muted">Choose a machine, on the map or below, to see more of it.</p>
    </section>
  )
}

/**
 * A lap may have passed some by: who has just come is on the way of the next one, and in a large cloud their number is an
 * estimate.
 */
function describeHops(hops: number, machines: number): string {
  if (hops === machines)
    return hops === 2 ? 'both machines' : `all ${hops.toLocaleString('en')} machines`
  return hops < machines ? `${hops} of ${machines} machines` : `${hops} machines`
}

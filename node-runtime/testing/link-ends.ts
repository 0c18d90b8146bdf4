// Two ends of a link in one process, without a network, for tests.
import Hypercore from 'hypercore'
import Protomux from 'protomux'
import { GuardedMux } from '../swarm/guarded-mux.ts'

export interface LinkEnds {
  /** As a machine has it. */
  guarded: GuardedMux
  /** Why the machine closed the link, and what went wrong. */
  faults: { reason: string; error?: unknown }[]
  /** The other side's, which can send whatever it likes. */
  raw: Protomux
  close(): void
}

/** An encrypted stream that no multiplexer has taken yet. */
export async function openStreams() {
  const ends = [true, false].map((initiator) => Hypercore.createProtocolStream(initiator))
  const [a, b] = [ends[0]!, ends[1]!]
  a.pipe(b).pipe(a)
  const streams = [a.noiseStream, b.noiseStream] as const
  await Promise.all(streams.map(({ opened }) => opened))
  for (const stream of streams) {
    // The stack has given it a multiplexer of its own.
    stream.removeAllListeners('data')
    stream.removeAllListeners('drain')
    stream.removeAllListeners('end')
    stream.userData = null
    stream.on('error', () => {})
  }
  return streams
}

/** A machine's end, on a clock that a test may set, and one that sends whatever the test wants. */
export async function openLinkEnds(now?: () => number): Promise<LinkEnds> {
  const [mine, theirs] = await openStreams()
  const faults: LinkEnds['faults'] = []
  const guarded = new GuardedMux(mine, {
    onFault: (reason, error) => faults.push(error === undefined ? { reason } : { reason, error }),
    ...(now === undefined ? {} : { now }),
  })
  return {
    guarded,
    faults,
    raw: new Protomux(theirs),
    close: () => {
      mine.destroy()
      theirs.destroy()
    },
  }
}

/** Both ends as machines have them. */
export async function openGuardedEnds(): Promise<[GuardedMux, GuardedMux]> {
  const [a, b] = await openStreams()
  const onFault = (reason: string, error?: unknown): void => {
    throw new Error(`a link failed: ${reason}`, { cause: error })
  }
  return [new GuardedMux(a, { onFault }), new GuardedMux(b, { onFault })]
}

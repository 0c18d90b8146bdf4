// Answers that are ready in one turn leave in one write: a system call for each would cost more than
// making the answer.
import type { Duplex } from 'node:stream'

/** To be called before each write to the stream; what was written leaves when the turn ends. */
export function gatherWrites(stream: Duplex): () => void {
  let gathering = false
  return () => {
    if (gathering) return
    gathering = true
    stream.cork()
    // After all promises that are settled now: those who waited for one sync are answered together.
    process.nextTick(() => {
      gathering = false
      stream.uncork()
    })
  }
}

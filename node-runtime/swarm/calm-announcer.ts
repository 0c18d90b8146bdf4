// The stack asks the nodes that know where this machine is whether they are there, every three seconds and under each
// key, which is most of what a machine with nothing to do would say to the DHT. Routers keep a way open for half a
// minute at least, and what changes the network is told: so here it asks less often, and at once when told.
import type { DhtServer } from 'hyperdht'

/** Two of three may get lost, and the way is still open. */
export const ASK_NODES_MS = 10_000
/** Nodes forget after 20 minutes; the stack means to announce anew every five. */
const ANNOUNCE_MS = 300_000

/** To be called once the server listens. */
export function calmAnnouncer(server: DhtServer): void {
  const announcer = server._announcer
  if (announcer === null) return
  const { _sleeper: sleeper } = announcer
  const pause = sleeper.pause.bind(sleeper)
  const refresh = announcer.refresh.bind(announcer)
  let pauses = 0
  sleeper.pause = () => {
    pauses += 1
    // Seen when the pause is over.
    if (pauses % (ANNOUNCE_MS / ASK_NODES_MS) === 0) refresh()
    return pause(ASK_NODES_MS)
  }
  announcer.refresh = () => {
    refresh()
    sleeper.resume()
  }
}

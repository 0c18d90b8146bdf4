// How far the sessions are that this machine does not follow: asked of the players' machines when a
// list is shown. A claim, good for a list; who watches replays and knows.
import * as z from 'zod'
import { hashSchema } from '../../contract/values.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { Network, Protocol } from '../../swarm/network.ts'

const PROTOCOL = 'dharma/session-plies/1'
/** A list does not wait longer for those who do not answer. */
const ANSWER_LIMIT_MS = 300
const MAX_SESSIONS = 500
/** Of each session its hash and its ply. */
const MAX_MESSAGE_BYTES = 50_000

const messageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('ask'),
    id: z.number().int(),
    sessions: z.array(hashSchema).max(MAX_SESSIONS),
  }),
  z.object({
    type: z.literal('tell'),
    id: z.number().int(),
    plies: z.array(z.tuple([hashSchema, z.number().int().nonnegative()])).max(MAX_SESSIONS),
  }),
])
type Message = z.infer<typeof messageSchema>

export class PlyBoard {
  readonly #protocol: Protocol<Message>
  readonly #waiting = new Map<
    number,
    { machine: string; told: (plies: [string, number][]) => void }
  >()
  #nextId = 0

  /** @param plyOf  the ply of a session that this machine follows, else null */
  constructor(network: Network, plyOf: (session: string) => number | null) {
    this.#protocol = network.openProtocol({
      name: PROTOCOL,
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      received: ({ machine }, message) => {
        if (message.type === 'tell') {
          const waiting = this.#waiting.get(message.id)
          if (waiting?.machine === machine) waiting.told(message.plies)
          return
        }
        const plies = message.sessions.flatMap((session): [string, number][] => {
          const ply = plyOf(session)
          return ply === null ? [] : [[session, ply]]
        })
        this.#protocol.send(machine, { type: 'tell', id: message.id, plies })
      },
    })
  }

  /** The plies of these sessions, from machines that are linked and answer in time. */
  async ask(wanted: readonly { session: string; machine: string }[]): Promise<Map<string, number>> {
    // Whoever announces a seat names its machine: the same one may be said to hold all seats of a session.
    const byMachine = new Map<string, Set<string>>()
    for (const { session, machine } of wanted) {
      const sessions = byMachine.get(machine) ?? new Set()
      byMachine.set(machine, sessions.add(session))
    }
    const answers = await Promise.all(
      [...byMachine].map(([machine, sessions]) =>
        this.#askMachine(machine, [...sessions].slice(0, MAX_SESSIONS)),
      ),
    )
    const plies = new Map<string, number>()
    for (const [session, ply] of answers.flat()) {
      plies.set(session, Math.max(ply, plies.get(session) ?? 0))
    }
    return plies
  }

  close(): void {
    this.#protocol.close()
  }

  #askMachine(machine: string, sessions: string[]): Promise<[string, number][]> {
    const id = this.#nextId++
    return new Promise((resolve) => {
      const finish = (plies: [string, number][]): void => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        resolve(plies.filter(([session]) => sessions.includes(session)))
      }
      const timer = setTimeout(() => finish([]), ANSWER_LIMIT_MS)
      this.#waiting.set(id, { machine, told: finish })
      if (!this.#protocol.send(machine, { type: 'ask', id, sessions })) finish([])
    })
  }
}

// Answers the `sessions` calls.
import { CloudError } from '../../contract/errors.ts'
import type { Json } from '../../contract/values.ts'
import { replay } from '../../core/sessions/session-chain.ts'
import { os } from '../../rpc/caller.ts'
import type { Sessions } from './sessions.ts'

interface ReplayFrame {
  /** Actions made so far. */
  ply: number
  seat: number | null
  action: Json
  view: Json
}

interface SessionsServiceOptions {
  /** Of the cloud that the machine is in now. */
  sessions: () => Sessions
}

export function createSessionsService({ sessions }: SessionsServiceOptions) {
  return {
    open: os.sessions.open.handler(async ({ input }) => {
      return { session: await sessions().open(input) }
    }),
    act: os.sessions.act.handler(async ({ input: { session, action } }) => {
      return { ply: await sessions().act(session, action) }
    }),
    list: os.sessions.list.handler(async ({ input: { system, state, limit } }) => {
      return { sessions: await sessions().list(system, state, limit) }
    }),
    watch: os.sessions.watch.handler(({ input: { session }, signal }) => {
      return sessions().watch(session, signal)
    }),
    replay: os.sessions.replay.handler(async ({ input: { result } }) => {
      const { system, kind, seats } = result.descriptor
      const { library } = sessions()
      const rules = await library.rulesOf(system, kind)
      if (library.kindOf(system, kind).seats !== seats.length) {
        throw new CloudError(
          'SESSION_TRANSCRIPT_FORGED',
          'The result does not hold: it has another number of seats than its kind.',
          { reason: 'it has another number of seats than its kind' },
        )
      }
      const frames: ReplayFrame[] = []
      const head = await replay(result, rules, async ({ actions, position }) => {
        const last = actions.at(-1)
        frames.push({
          ply: actions.length,
          seat: last?.seat ?? null,
          action: last?.action ?? null,
          view: await rules.view(position.state, 'spectator'),
        })
      })
      const signers = new Set(head.actions.map(({ seat }) => seats[seat] ?? ''))
      return { frames, outcome: result.outcome, signers: [...signers] }
    }),
  }
}

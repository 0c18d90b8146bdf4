// Answers the `sessions` calls.
import { CloudError } from '../../contract/errors.ts'
import type { ResultValue, ResultVerdict } from '../../contract/sessions.ts'
import type { PlayedAction } from '../../core/sessions/judgement.ts'
import { os } from '../../rpc/caller.ts'
import type { Sessions } from './sessions.ts'
import type { Judged } from './verdicts.ts'

/** Positions of one page of a replay; the bytes of a page are limited, too. */
const PAGE_POSITIONS = 500

interface SessionsServiceOptions {
  /** Of the cloud that the machine is in now. */
  sessions: () => Sessions
}

function verdictOf({ outcome, by, plies, signers, agreed }: Judged): ResultVerdict {
  return { outcome, by, plies, signers, agreed }
}

async function replay(sessions: Sessions, result: ResultValue, fromPly: number) {
  const { judged, rules } = await sessions.judge(result)
  const { seed, options, seats } = result.descriptor
  const moves = judged.actions.filter(({ type }) => type === 'move')
  const page = await rules.replay({
    seed,
    options,
    seats: seats.length,
    viewer: 'spectator',
    actions: moves.map(({ seat, body }) => ({ seat, action: body })),
    views: { fromPly, count: PAGE_POSITIONS },
  })
  if (page.kind !== 'ok') {
    const reason = page.kind === 'illegal' ? 'a move became illegal' : page.reason
    throw new CloudError('RULES_FAILED', `The rules of this session failed: ${reason}.`, { reason })
  }
  const frames = page.views.map(({ ply, view }) => frame(ply, moves[ply - 1], viewOf(view)))
  // A resignation or a claim changes no position; it stands behind the last one.
  const last = judged.actions.at(-1)
  if (page.nextPly === null && last !== undefined && last.type !== 'move') {
    frames.push(frame(judged.actions.length, last, frames.at(-1)?.view ?? null))
  }
  return { ...verdictOf(judged), frames, nextPly: page.nextPly }
}

type View = Awaited<ReturnType<Awaited<ReturnType<Sessions['judge']>>['rules']['view']>>

function viewOf(view: View) {
  return view.kind === 'ok' ? view.view : null
}

function frame(ply: number, action: PlayedAction | undefined, view: ReturnType<typeof viewOf>) {
  if (action === undefined) return { ply, seat: null, type: null, action: null, view }
  const { seat, type, body } = action
  return { ply, seat, type, action: body, view }
}

export function createSessionsService({ sessions }: SessionsServiceOptions) {
  return {
    rules: os.sessions.rules.handler(async ({ input: { system, kind } }) => ({
      rules: await sessions().library.installedRules(system, kind),
    })),
    open: os.sessions.open.handler(async ({ input }) => ({
      session: await sessions().open(input),
    })),
    act: os.sessions.act.handler(async ({ input: { session, action } }) => ({
      ply: await sessions().act(session, { type: 'move', body: action }),
    })),
    resign: os.sessions.resign.handler(async ({ input: { session } }) => ({
      ply: await sessions().act(session, { type: 'resign' }),
    })),
    claim: os.sessions.claim.handler(async ({ input: { session } }) => ({
      ply: await sessions().act(session, { type: 'claim' }),
    })),
    list: os.sessions.list.handler(async ({ input: { system, state, limit } }) => ({
      sessions: await sessions().list(system, state, limit),
    })),
    watch: os.sessions.watch.handler(({ input: { session }, signal }) =>
      sessions().watch(session, signal),
    ),
    verify: os.sessions.verify.handler(async ({ input: { result } }) =>
      verdictOf((await sessions().judge(result)).judged),
    ),
    replay: os.sessions.replay.handler(({ input: { result, fromPly } }) =>
      replay(sessions(), result, fromPly),
    ),
  }
}

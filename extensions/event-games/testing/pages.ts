// Pages for tests: drawn into the document as the app does it, on a cloud that answers as it is told.
import type { Cloud, Json, ResultValue, SessionFrame, SessionSummary } from '/.dharma/sdk.js'
import { html, render } from '/.dharma/lit.js'
import { init, view } from '../rules/connect-four.ts'
import type { GamesStore } from '../ui/games-store.ts'
import type { Page, PageContext } from '../ui/page.ts'
import { descriptorOf, gamesOf } from '../ui/records.ts'
import type { EntryRecord, EventValue, ResultRecord } from '../ui/records.ts'
import { joinEvents } from '../ui/starts.ts'
import type { GameEvent } from '../ui/starts.ts'
import { ANN, BOB, CUP, CUP_ID, RULES, entryRecord, eventRecord, record } from './records.ts'

/** A page as it is drawn, and what it did. */
export interface Stage {
  /** Calls that change something, such as `claim`. */
  calls: string[]
  announced: string[]
  /** Why every such call fails; null while they do not. */
  refusal: Error | null
  /** Gives the page that watches a session its next frame. */
  show(frame: SessionFrame): void
  text(): string
  button(name: string): HTMLButtonElement | undefined
  close(): void
}

export interface Setting {
  me?: string
  events?: readonly GameEvent[]
  entries?: readonly EntryRecord[]
  results?: readonly ResultRecord[]
  sessions?: readonly SessionSummary[]
}

/** An event of Ann's; started, if two entries are given to start with. */
export function eventWith(value: Partial<EventValue>, players: readonly string[] = []): GameEvent {
  const entries = players.map((person) => entryRecord(person))
  const start = { event: CUP_ID, entries: entries.map(({ id }) => id), rules: RULES }
  const [event] = joinEvents({
    events: [eventRecord({ ...CUP, ...value })],
    entries,
    starts: players.length === 0 ? [] : [record('start', ANN, start, 2)],
  })
  if (event === undefined) throw new Error('no event')
  return event
}

/** A single game of Ann and Bob. The lots have decided who moves first. */
export const DUEL = eventWith({ format: 'single', maxPlayers: 2 }, [ANN, BOB])

const [PAIRING] = gamesOf(DUEL)
const DESCRIPTOR = PAIRING === undefined ? null : descriptorOf(DUEL, PAIRING)
if (DESCRIPTOR === null) throw new Error('no game')
export const GAME_DESCRIPTOR = { ...DESCRIPTOR, system: 'event-games', rules: RULES }

/** The one game of the duel, as seat 0 or 1 sees it after no move. */
export function frameOf(ownSeat: number | null, more: Partial<SessionFrame> = {}): SessionFrame {
  return {
    session: 'e'.repeat(64),
    descriptor: GAME_DESCRIPTOR,
    state: 'live',
    seats: GAME_DESCRIPTOR.seats.map((person) => ({ person, online: true })),
    ply: 0,
    outcome: null,
    startedMs: 1,
    ownSeat,
    // As the runtime hands it over.
    view: JSON.parse(JSON.stringify(view(init('', null), 'spectator'))) as Json,
    legal: [],
    toAct: [0],
    actions: [],
    by: null,
    agreed: [],
    resultId: null,
    disputed: false,
    fault: null,
    trouble: null,
    claimAfterMs: 300_000,
    claimInMs: null,
    ...more,
  }
}

/** A result of the duel, as one of the players has stored it. */
export function resultOf({ by, winner }: { by: ResultValue['by']; winner: string }): ResultRecord {
  const { context, kind, seats } = GAME_DESCRIPTOR
  const session = 'e'.repeat(64)
  const scores = seats.map((person) => (person === winner ? 1 : 0))
  return record(session, winner, {
    session,
    descriptor: GAME_DESCRIPTOR,
    outcome: { scores, reason: 'as the runtime says it' },
    by,
    plies: 1,
    endedMs: 1,
    transcript: { core: null, hash: RULES, length: 1 },
    signatures: [],
    kind,
    context,
  })
}

/** Draws a page on a cloud and a store that hold what the setting says. */
export function showPage(create: (context: PageContext) => Page, setting: Setting = {}): Stage {
  const { me = ANN, events = [DUEL], entries = [], results = [], sessions = [] } = setting
  let watcher: ((frame: SessionFrame) => void) | undefined
  const stage: Stage = {
    calls: [],
    announced: [],
    refusal: null,
    show: (frame) => watcher?.(frame),
    text: () => (document.body.textContent ?? '').replaceAll(/\s+/g, ' '),
    button: (name) =>
      [...document.querySelectorAll('button')].find(
        ({ textContent }) => textContent?.trim().replaceAll(/\s+/g, ' ') === name,
      ),
    close: () => page.dispose?.(),
  }
  const act = (name: string) => () => {
    stage.calls.push(name)
    return stage.refusal === null ? Promise.resolve({}) : Promise.reject(stage.refusal)
  }
  const store: GamesStore = {
    loaded: true,
    events,
    results,
    sessions,
    completeness: null,
    error: null,
    eventOf: (id) => events.find((event) => event.id === id) ?? null,
    entriesOf: () => entries,
    resultOf: () => results[0] ?? null,
    isDisputed: () => false,
    sessionOf: () => sessions[0] ?? null,
    followSessions: () => () => undefined,
  }
  const watch = (_session: string, receive: (frame: SessionFrame) => void) => {
    watcher = receive
    return () => undefined
  }
  const [open, claim, resign] = [act('open'), act('claim'), act('resign')]
  const calls = {
    sessions: { open, act: act('act'), claim, resign, watch },
    db: { collection: () => ({ put: act('put'), add: act('add') }) },
  }
  const update = (): void => {
    render(html`${page.render()}`, document.body)
  }
  const page = create({
    // What the pages use of it; anything else is missed at once.
    cloud: calls as unknown as Cloud,
    store,
    verifier: { check: () => ({ state: 'checking' }), peek: () => null },
    me: { person: me, name: 'Ann' },
    update,
    announce: (text) => void stage.announced.push(text),
  })
  update()
  return stage
}

// The board of a running game: for its two players, and for everyone who watches.
import { CloudError } from '/.dharma/sdk.js'
import type { SessionFrame } from '/.dharma/sdk.js'
import { html, nothing } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'
import type { View } from '../../rules/connect-four.ts'
import { createAction, problemTemplate } from '../action.ts'
import { boardTemplate } from '../board.ts'
import { gameStatus, seatsTemplate } from '../game-status.ts'
import { createGameEnding } from '../game-ending.ts'
import { emptyPage, loadingPage } from '../loading.ts'
import { actionText, movesTemplate, moveText } from '../moves.ts'
import { eventOf, gameTitle, namesOf } from '../names.ts'
import type { Page, PageContext } from '../page.ts'
import { pathOf } from '../routes.ts'

/** A game that no machine in reach knows yet is looked for again this often. */
const LOOK_AGAIN_MS = 2000
const MIDDLE_COLUMN = 3

export function createGamePage(context: PageContext, session: string): Page {
  const { cloud, store, update, announce } = context
  const action = createAction(update)
  const ending = createGameEnding(context, session, action)
  let frame: SessionFrame | null = null
  let error: CloudError | null = null
  let focused = MIDDLE_COLUMN
  /** The column that was sent, until the frame with it has come. */
  let sent: { column: number; ply: number } | null = null
  let seatTaken = false
  let disposed = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopWatching = (): void => undefined

  const receive = (next: SessionFrame): void => {
    const before = frame
    frame = next
    error = null
    if (sent !== null && next.ply > sent.ply) sent = null
    ending.receive(next)
    takeSeat(next)
    tell(before, next)
    update()
  }
  /** Whoever comes back to their own game sits down again; if they sit already, nothing changes. */
  const takeSeat = ({ ownSeat, state, descriptor }: SessionFrame): void => {
    if (seatTaken || ownSeat === null || state === 'over') return
    seatTaken = true
    void action.run(() => cloud.sessions.open(descriptor))
  }
  const tell = (before: SessionFrame | null, next: SessionFrame): void => {
    const names = namesOf(next.descriptor, store)
    const last = next.actions.at(-1)
    const moved =
      before !== null && last !== undefined && next.ply > before.ply
        ? `${next.ownSeat === last.seat ? 'You' : (names[last.seat] ?? '')}: ${actionText(last)}.`
        : ''
    const status = gameStatus(next, names)
    if (moved !== '' || before === null || gameStatus(before, names) !== status) {
      announce(`${moved} ${status}`.trim())
    }
  }
  const watch = (): void => {
    stopWatching = cloud.sessions.watch(session, receive, (reason) => {
      error = reason
      const notYet = reason.code === 'SESSION_UNKNOWN' || reason.code === 'RULES_MISSING'
      if (notYet && !disposed) timer = setTimeout(watch, LOOK_AGAIN_MS)
      update()
    })
  }
  watch()

  const columns = ({ legal }: SessionFrame): number[] =>
    legal.filter((column): column is number => typeof column === 'number')

  const choose = (column: number): void => {
    if (frame === null || sent !== null || !columns(frame).includes(column)) return
    const { ply } = frame
    sent = { column, ply }
    focused = column
    void action
      .run(() => cloud.sessions.act(session, column))
      .then((done) => {
        if (!done) sent = null
        update()
      })
  }

  const overBanner = (current: SessionFrame): TemplateResult | typeof nothing => {
    if (current.state !== 'over') return nothing
    const event = eventOf(current.descriptor, store)
    return html`<section class="d-card result" aria-label="Result">
      <h2>${gameStatus(current, namesOf(current.descriptor, store))}</h2>
      <p class="d-muted">${resultNote(current)}</p>
      <div class="d-row">
        ${current.resultId === null
          ? nothing
          : html`<a class="d-button d-button-primary" href=${pathOf.replay(session)}>Replay</a>`}
        ${event === null
          ? nothing
          : html`<a class="d-button" href=${pathOf.event(event.id)}>Back to the event</a>`}
      </div>
    </section>`
  }

  const resultNote = ({ agreed, seats, by, disputed, resultId }: SessionFrame): string => {
    if (disputed) return 'The players have stored different outcomes; the replay shows the proof.'
    if (resultId === null) return 'The result is being stored.'
    if (by === 'claim') return 'Kept by the cloud, as the word of who claimed it.'
    return agreed.length === seats.length
      ? 'Signed by both players, and kept by the cloud.'
      : 'Kept by the cloud. It counts by its moves, whoever signs.'
  }

  const absent = (current: SessionFrame, names: readonly string[]): unknown => {
    if (current.state !== 'live') return nothing
    return current.seats.map(({ online }, seat) =>
      online === false && seat !== current.ownSeat
        ? html`<p class="d-notice d-notice-attention" role="status">
            Waiting for ${names[seat]} to come back; the game goes on when they do.
          </p>`
        : nothing,
    )
  }

  const game = (current: SessionFrame): TemplateResult => {
    const names = namesOf(current.descriptor, store)
    const { ownSeat, state } = current
    const event = eventOf(current.descriptor, store)
    // Who sits alone may play, too: an absent player must not hold up an event.
    const plays = ownSeat !== null && state !== 'over'
    const status = gameStatus(current, names)
    return html`
      <header class="d-row d-spread">
        <h1 tabindex="-1">
          ${event === null
            ? 'Connect Four'
            : html`<a class="title-link" href=${pathOf.event(event.id)}
                >${gameTitle(current.descriptor, store)}</a
              >`}
        </h1>
        ${ownSeat === null && state !== 'over'
          ? html`<span class="d-badge d-badge-accent">Watching</span>`
          : nothing}
      </header>
      <div class="game">
        <div class="game-board">
          ${boardTemplate({
            // The runtime computed it with the rules of this very system.
            view: current.view as unknown as View,
            names,
            ...(plays
              ? {
                  play: {
                    seat: ownSeat,
                    columns: columns(current),
                    pending: sent?.column ?? null,
                    focused,
                    choose,
                    focus: (column) => {
                      if (focused === column) return
                      focused = column
                      update()
                    },
                  },
                }
              : {}),
          })}
        </div>
        <div class="game-side">
          ${seatsTemplate(current, names)}
          ${state === 'over'
            ? nothing
            : html`<p class="status ${current.toAct.includes(ownSeat ?? -1) ? 'own-turn' : ''}">
                ${sent === null ? status : `Sending ${moveText(sent.column)}…`}
              </p>`}
          ${overBanner(current)} ${absent(current, names)}
          ${current.fault === null
            ? nothing
            : html`<p class="d-notice d-notice-danger" role="alert">
                ${names[current.fault.seat]} broke the rules: ${current.fault.message}
              </p>`}
          ${current.trouble === null
            ? nothing
            : html`<p class="d-notice d-notice-attention" role="status">
                ${current.trouble.message}
              </p>`}
          ${problemTemplate(action.problem)}
          ${plays
            ? html`<p class="d-hint">Keys: 1 to 7, or ← → and Enter.</p>
                ${ending.render(current, names)}`
            : nothing}
          <section class="d-stack" aria-labelledby="moves">
            <h2 id="moves">Moves</h2>
            ${movesTemplate(current.actions, names, current.ply)}
          </section>
        </div>
      </div>
    `
  }

  const missing = (reason: CloudError): TemplateResult => {
    const result = store.results.find(({ value }) => value.session === session)
    if (result !== undefined) {
      return emptyPage('This game is over', 'Its moves and signatures are in the cloud.', {
        path: pathOf.replay(session),
        label: 'Replay',
      })
    }
    return reason.code === 'SESSION_UNKNOWN'
      ? emptyPage(
          'Looking for this game',
          'No machine in reach knows it yet. The board appears as soon as one does.',
          { path: '/live', label: 'Live games' },
        )
      : html`${problemTemplate(reason.message)}`
  }

  return {
    title() {
      if (frame === null) return 'Game'
      const title = gameTitle(frame.descriptor, store)
      return frame.ownSeat !== null && frame.toAct.includes(frame.ownSeat) && frame.state !== 'over'
        ? `● Your move – ${title}`
        : title
    },
    render() {
      if (error !== null && (frame === null || error.code !== 'SESSION_UNKNOWN')) {
        return html`${frame === null ? missing(error) : problemTemplate(error.message)}
        ${frame === null ? nothing : game(frame)}`
      }
      return frame === null ? loadingPage('Opening the board…') : game(frame)
    },
    keyPressed(event) {
      const column = Number(event.key) - 1
      if (frame === null || !Number.isInteger(column) || !columns(frame).includes(column))
        return false
      choose(column)
      return true
    },
    dispose() {
      disposed = true
      clearTimeout(timer)
      ending.dispose()
      stopWatching()
    },
  }
}

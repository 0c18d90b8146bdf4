// How the logs of sessions reach their audience: players replicate with each other, each serves one
// spectator at a time (`audience-serving.ts`), and spectators serve the others, so that a player's upload
// does not grow with the audience. Each seeks a source (`audience-source.ts`); who says that it serves and
// does not deliver is left, and avoided for a while (`audience-watch.ts`).
import type { Core } from '../step.ts'
import type { AudienceMessage } from './audience-messages.ts'
import { AudiencePlace } from './audience-place.ts'
import { Scene } from './audience-scene.ts'
import type { AudienceEffect, AudienceOptions, Followed, TimerKind } from './audience-scene.ts'

export type AudienceEvent =
  | { type: 'peerOpened'; machine: string }
  | { type: 'peerClosed'; machine: string }
  | { type: 'received'; from: string; message: AudienceMessage }
  /** Begins to follow a session, or says what has changed. */
  | { type: 'followed'; followed: Followed }
  | { type: 'unfollowed'; session: string }
  | { type: 'timer'; id: string }

export class Audience implements Core<AudienceEvent, AudienceEffect> {
  readonly #scene: Scene
  /** By session. */
  readonly #places = new Map<string, AudiencePlace>()

  constructor(options: AudienceOptions) {
    this.#scene = new Scene(options)
  }

  /** Can sessions be followed with that machine now? */
  isOnline(machine: string): boolean {
    return this.#scene.peers.has(machine)
  }

  /** Who serves this machine, and whom it serves. */
  placeOf(sessionId: string): { source: string | null; children: string[] } | null {
    const place = this.#places.get(sessionId)
    return place === undefined ? null : { source: place.source, children: place.served }
  }

  step(event: AudienceEvent, nowMs: number): AudienceEffect[] {
    return this.#scene.play(nowMs, () => this.#happened(event))
  }

  #happened(event: AudienceEvent): void {
    switch (event.type) {
      case 'peerOpened':
        this.#scene.peers.add(event.machine)
        for (const place of this.#places.values()) place.opened(event.machine)
        return
      case 'peerClosed':
        this.#scene.peers.delete(event.machine)
        for (const place of this.#places.values()) place.closed(event.machine)
        return
      case 'received':
        return this.#received(event.from, event.message)
      case 'followed':
        return this.#follow(event.followed)
      case 'unfollowed':
        this.#places.get(event.session)?.end()
        this.#places.delete(event.session)
        return
      case 'timer': {
        const [kind, sessionId = ''] = event.id.split(' ')
        this.#places.get(sessionId)?.timer(kind as TimerKind)
      }
    }
  }

  #follow(followed: Followed): void {
    const { session } = followed
    const place = this.#places.get(session) ?? new AudiencePlace(this.#scene, followed)
    this.#places.set(session, place)
    place.follow(followed)
  }

  #received(from: string, message: AudienceMessage): void {
    const { session, type } = message
    const place = this.#places.get(session)
    if (place !== undefined) return place.received(from, message)
    if (type === 'follow') this.#scene.send(from, { type: 'unavailable', session })
    else if (type === 'serving') this.#scene.send(from, { type: 'unfollow', session })
  }
}

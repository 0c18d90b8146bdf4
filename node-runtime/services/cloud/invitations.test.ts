import { EventEmitter } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { MAX_INVITATIONS } from '../../core/admission/guest-book.ts'
import { proveInvitation } from '../../core/admission/invitation.ts'
import { fromHex } from '../../core/keys.ts'
import type { SwarmConnection } from '../../swarm/frames.ts'
import { keyOf, keysOf } from '../../testing/entries.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { Invitations } from './invitations.ts'
import { meetingCodec } from './meeting.ts'

const SEED = '07'.repeat(16)
const guest = keysOf('guest')

/** Somebody who dialled the key of a meeting. */
class Caller extends EventEmitter {
  readonly remotePublicKey = guest.publicKey
  readonly handshakeHash = Buffer.alloc(64, 1)
  readonly rawStream = new EventEmitter()
  readonly isInitiator = false
  readonly _len = 0
  readonly heard: string[] = []
  isGone = false

  write(bytes: Uint8Array): void {
    this.heard.push(meetingCodec.decode(bytes)?.step ?? '')
  }

  end(): void {}

  destroy(): void {
    this.isGone = true
  }

  knock(): void {
    const { handshakeHash } = this
    const proof = proveInvitation(fromHex(SEED), { handshakeHash, machine: keyOf('guest') })
    this.emit('data', meetingCodec.encode({ step: 'knock', proof }))
  }
}

let folder: string
let nowMs = 1_000
let ring: (caller: Caller) => void
/** Of each invitation, in their order. */
let rings: ((caller: Caller) => void)[] = []
let doors = 0
let invitations: Invitations
beforeEach(async () => {
  nowMs = 1_000
  doors = 0
  rings = []
  folder = await mkdtemp(join(tmpdir(), 'dharma-invitations-'))
})
afterEach(async () => {
  await invitations.close()
  await rm(folder, { recursive: true, force: true })
})

/** A machine that gave out so many invitations, the first of which expires first. */
async function open(count: number): Promise<void> {
  const given = Array.from({ length: count }, (_, at) => ({
    id: String(at),
    seed: SEED,
    code: '',
    uses: 1,
    createdMs: 0,
    expiresMs: at === 0 ? 2_000 : 9_000,
    withdrawn: false,
    expired: false,
    admitted: [],
  }))
  await writeFile(join(folder, 'invitations.json'), JSON.stringify({ invitations: given }))
  invitations = await openBook()
  await settle()
}

function openBook(): Promise<Invitations> {
  return Invitations.open({
    folder,
    cloud: keyOf('cloud'),
    machine: keyOf('machine'),
    swarm: {
      async listenUnder(_keys, onConnection) {
        ring = (caller) => onConnection(caller as unknown as SwarmConnection)
        rings.push(ring)
        doors++
        return async () => void doors--
      },
      ownAddresses: [],
    },
    genesis: () => '{}',
    inviter: () => ({ person: keyOf('person'), name: 'Ada' }),
    admit: () => ({ chain: null, invitation: null }),
    now: () => nowMs,
    log: silentLog,
  })
}

/** What was begun goes on, as far as it gets by itself. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('strangers that ring and say nothing keep out nobody who has the invitation', async () => {
  await open(1)
  const callers = (count: number): Caller[] =>
    Array.from({ length: count }, () => {
      const caller = new Caller()
      ring(caller)
      return caller
    })
  const strangers = callers(16)
  const [invited] = callers(1) as [Caller]
  invited.knock()
  await settle()
  expect(invited.heard).toEqual(['offer'])
  expect(strangers.map(({ isGone }) => isGone)).toEqual([true, ...Array<boolean>(15).fill(false)])
  callers(40)
  await settle()
  expect(invited.isGone).toBe(false)
})

it('while all who talk have shown the invitation, there is no room for more', async () => {
  await open(1)
  for (let at = 0; at < 16; at++) {
    const invited = new Caller()
    ring(invited)
    invited.knock()
  }
  await settle()
  const late = new Caller()
  ring(late)
  expect(late.isGone).toBe(true)
})

it('who has an invitation keeps out nobody who has another', async () => {
  await open(2)
  const talkBy = async (id: number): Promise<Caller> => {
    const caller = new Caller()
    rings[id]?.(caller)
    caller.knock()
    await settle()
    return caller
  }
  const hoarders: Caller[] = []
  for (let at = 0; at < 40; at++) hoarders.push(await talkBy(0))
  const invited = await talkBy(1)
  expect(invited.heard).toEqual(['offer'])
  expect(hoarders.filter(({ isGone }) => !isGone)).toHaveLength(15)
  for (let at = 0; at < 40; at++) await talkBy(0)
  expect(invited.isGone).toBe(false)
})

it('an invitation that made room for another is listened for no more', async () => {
  await open(MAX_INVITATIONS)
  expect(doors).toBe(MAX_INVITATIONS)
  nowMs = 3_000
  await invitations.create(1, 1_000)
  await settle()
  expect(doors).toBe(MAX_INVITATIONS)
})

it('an invitation that has expired stays so when the clock is set back, over a restart, too', async () => {
  await open(2)
  nowMs = 3_000
  const reopen = async (): Promise<string> => {
    await invitations.close()
    const file = await readFile(join(folder, 'invitations.json'), 'utf8')
    invitations = await openBook()
    await settle()
    return file
  }
  await reopen()
  nowMs = 1_000
  expect(await reopen()).toContain('"expired": true')
  expect(invitations.given.map(({ state }) => state)).toEqual(['open', 'expired'])
  // Whoever comes with the one that has expired is told so, for a day.
  expect(doors).toBe(2)
  nowMs = 24 * 3_600_000 + 10_000
  await reopen()
  expect(doors).toBe(0)
})

it('an invitation is listened for until a day after its end, also by a machine that is always on', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    await open(2)
    const minute = 60_000
    for (const [atMs, count] of [
      [24 * 3_600_000 + 1_999, 2],
      [24 * 3_600_000 + 2_000, 1],
      [24 * 3_600_000 + 9_000, 0],
    ] as const) {
      nowMs = atMs
      vi.advanceTimersByTime(minute)
      expect(doors).toBe(count)
    }
    await invitations.close()
  } finally {
    vi.useRealTimers()
  }
})

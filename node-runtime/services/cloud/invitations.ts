// The invitations that this machine gave out: their file, and the door at which the invited knock.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import * as z from 'zod'
import type { GivenInvitation, InvitationsReport } from '../../contract/cloud.ts'
import { CloudError } from '../../contract/errors.ts'
import { keySchema, timeMsSchema } from '../../contract/values.ts'
import {
  MAX_INVITATIONS,
  stateOf,
  useInvitation,
  withExpired,
  withInvitation,
} from '../../core/admission/guest-book.ts'
import type { Invitation } from '../../core/admission/guest-book.ts'
import { encodeInvitation, meetingKeys, proveInvitation } from '../../core/admission/invitation.ts'
import type { MachineAddress } from '../../core/finding/dial-list.ts'
import { openAttestation } from '../../core/forms/attestation.ts'
import type { Attestation } from '../../core/forms/attestation.ts'
import { encodeKey, fromHex, toHex } from '../../core/keys.ts'
import { SerialQueue } from '../../flow/serial-queue.ts'
import type { Log } from '../../ports/log.ts'
import { readJsonFile, writeJsonFile } from '../../store/json-file.ts'
import { Frames, TalkEnded } from '../../swarm/frames.ts'
import type { SwarmConnection } from '../../swarm/frames.ts'
import type { Swarm } from '../../swarm/swarm.ts'
import type { GivenAdmission } from './admission.ts'
import { newCode, seedOfCode } from './invitation-code.ts'
import { meetingCodec, TALK_LIMIT_MS } from './meeting.ts'
import type { MeetingFault, MeetingMessage } from './meeting.ts'

/**
 * Talks at once. Whoever knows the key of a meeting from the DHT may begin some: when more come, the oldest that has
 * not shown an invitation goes, which had its time. Who has one keeps out nobody who has another: of the one by
 * which most talk the oldest goes.
 */
const MAX_TALKS = 16
const ID_BYTES = 8
/** Whoever comes with one that holds no more is told why for so long, also after a restart. */
const SAY_WHY_MS = 24 * 3_600_000
/** How often it is noted what has expired. */
const LOOK_MS = 60_000

const fileSchema = z.object({
  invitations: z
    .array(
      z.object({
        id: z.string(),
        seed: z.string().regex(/^[0-9a-f]{32}$/),
        code: z.string(),
        uses: z.number().int(),
        createdMs: timeMsSchema,
        expiresMs: timeMsSchema,
        withdrawn: z.boolean(),
        expired: z.boolean().default(false),
        admitted: z.array(keySchema),
      }),
    )
    .max(MAX_INVITATIONS),
})

export interface InvitationsOptions {
  folder: string
  cloud: string
  machine: string
  swarm: Pick<Swarm, 'listenUnder' | 'ownAddresses'>
  genesis: () => string | null
  inviter: () => { person: string; name: string }
  /** See `CloudAdmission.admit`. */
  admit: (person: string) => GivenAdmission | { fault: MeetingFault; message: string }
  now: () => number
  log: Log
}

export class Invitations {
  readonly #options: InvitationsOptions
  readonly #path: string
  #book: readonly Invitation[]
  readonly #changes = new SerialQueue()
  /** By the invitation's id. */
  readonly #doors = new Map<string, () => Promise<void>>()
  /** In the order in which they came; by which invitation, and has the other side shown it? */
  readonly #talks = new Map<Frames<MeetingMessage>, { id: string; isInvited: boolean }>()
  readonly #looking = setInterval(() => this.#noteExpired(), LOOK_MS).unref()
  #closed = false

  private constructor(options: InvitationsOptions, path: string, book: readonly Invitation[]) {
    this.#options = options
    this.#path = path
    this.#book = book
  }

  /** Listens for the invited at once, without waiting for the DHT. */
  static async open(options: InvitationsOptions): Promise<Invitations> {
    const { folder, log } = options
    const path = join(folder, 'invitations.json')
    const file = await readJsonFile(path, fileSchema, {
      evenIfGone: true,
      onFallback: (message) => log.warn(message),
    })
    const invitations = new Invitations(options, path, file?.invitations ?? [])
    for (const invitation of invitations.#book) {
      // Whoever was counted and did not hear the answer may ask again, also when it is used up.
      if (!invitations.#isOver(invitation)) invitations.#listen(invitation)
    }
    invitations.#noteExpired()
    return invitations
  }

  /**
   * Gives one out. Resolves once it is on the disk.
   * @param lastsMs  how long it holds
   * @throws CloudError LIMIT_REACHED, INVITATION_INVALID if this machine can't let anybody in
   */
  async create(uses: number, lastsMs: number): Promise<GivenInvitation> {
    const { now } = this.#options
    this.#checkMay()
    const code = newCode()
    const seed = await seedOfCode(code)
    const invitation: Invitation = {
      id: toHex(randomBytes(ID_BYTES)),
      seed: toHex(seed),
      code,
      uses,
      createdMs: now(),
      expiresMs: now() + lastsMs,
      withdrawn: false,
      expired: false,
      admitted: [],
    }
    await this.#changes.run(async () => {
      const book = withInvitation(this.#book, invitation, now())
      if (book === null) {
        throw new CloudError(
          'LIMIT_REACHED',
          `This machine has given out ${MAX_INVITATIONS} invitations that still hold. Withdraw one first.`,
        )
      }
      await this.#write(book)
      for (const id of this.#doors.keys()) {
        if (!book.some((one) => one.id === id)) this.#endDoor(id)
      }
    })
    this.#listen(invitation)
    return this.#describe(invitation)
  }

  /** Those that were given out, the newest first. */
  get given(): InvitationsReport['given'] {
    return this.#book.map((invitation) => this.#describe(invitation)).toReversed()
  }

  /** It lets nobody in from now on; who comes with it is told so. @throws CloudError INVITATION_INVALID if there is none with this id */
  async withdraw(id: string): Promise<void> {
    await this.#changes.run(async () => {
      if (!this.#book.some((one) => one.id === id)) {
        throw new CloudError('INVITATION_INVALID', 'This machine gave out no such invitation.', {
          id,
        })
      }
      await this.#write(
        this.#book.map((one) => (one.id === id ? { ...one, withdrawn: true } : one)),
      )
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#looking)
    for (const frames of this.#talks.keys()) frames.close()
    for (const id of this.#doors.keys()) this.#endDoor(id)
    await this.#changes.run(async () => {})
  }

  /** Is nobody even told any more why it does not hold? */
  #isOver({ expiresMs }: Invitation): boolean {
    return this.#options.now() >= expiresMs + SAY_WHY_MS
  }

  /** Notes what has expired by now, and listens no more for what is over. */
  #noteExpired(): void {
    const { now, log } = this.#options
    for (const invitation of this.#book) {
      if (this.#isOver(invitation)) this.#endDoor(invitation.id)
    }
    this.#changes
      .run(async () => {
        const book = withExpired(this.#book, now())
        if (book !== null) await this.#write(book)
      })
      .catch((error: unknown) => {
        log.error('it could not be written down which invitations have expired', { error })
      })
  }

  #checkMay(): void {
    const { genesis, inviter, admit } = this.#options
    const may = admit(inviter().person)
    const fault = 'fault' in may ? may.fault : 'not-in'
    if (genesis() === null) {
      throw new CloudError(
        'INVITATION_INVALID',
        'This machine cannot invite yet: it has not heard how its cloud began. It must meet a machine of it first.',
        { fault },
      )
    }
    if ('fault' in may) throw new CloudError('INVITATION_INVALID', may.message, { fault })
  }

  #describe(invitation: Invitation): GivenInvitation {
    const { id, seed, code, uses, admitted, expiresMs } = invitation
    const secret = { seed: fromHex(seed), addresses: this.#hints() }
    return {
      id,
      link: `dharma:invite/${encodeInvitation(secret)}`,
      code,
      uses,
      used: admitted.length,
      admitted,
      expiresMs,
      state: stateOf(invitation, this.#options.now()),
    }
  }

  #hints(): readonly MachineAddress[] {
    return this.#options.swarm.ownAddresses
  }

  #listen(invitation: Invitation): void {
    const { swarm, log } = this.#options
    const keys = meetingKeys(fromHex(invitation.seed))
    swarm
      .listenUnder(keys, (connection) => this.#receive(connection, invitation.id))
      .then((end) => {
        this.#doors.set(invitation.id, end)
        const now = this.#book.find(({ id }) => id === invitation.id)
        if (this.#closed || now === undefined || this.#isOver(now)) this.#endDoor(invitation.id)
      })
      .catch((error: unknown) => {
        if (!this.#closed) log.error('nobody can come in by an invitation', { error })
      })
  }

  #endDoor(id: string): void {
    const end = this.#doors.get(id)
    this.#doors.delete(id)
    end?.().catch((error: unknown) => {
      if (!this.#closed)
        this.#options.log.warn('the door of an invitation did not close', { error })
    })
  }

  #receive(connection: SwarmConnection, id: string): void {
    const frames = new Frames(connection, meetingCodec, TALK_LIMIT_MS)
    if (this.#closed || !this.#makeRoom(id)) return frames.close()
    this.#talks.set(frames, { id, isInvited: false })
    this.#talk(frames, connection, id)
      .then(() => frames.finish())
      .catch((error: unknown) => {
        if (!(error instanceof TalkEnded)) {
          this.#options.log.error('an invited machine could not be let in', { error })
        }
        frames.close()
      })
      .finally(() => this.#talks.delete(frames))
  }

  /** For one more talk by that invitation, if there can be any. */
  #makeRoom(id: string): boolean {
    if (this.#talks.size < MAX_TALKS) return true
    const least = this.#leastTalk(id)
    if (least === undefined) return false
    this.#talks.delete(least)
    least.close()
    return true
  }

  #leastTalk(id: string): Frames<MeetingMessage> | undefined {
    const counts = new Map<string, number>()
    for (const [frames, talk] of this.#talks) {
      if (!talk.isInvited) return frames
      counts.set(talk.id, (counts.get(talk.id) ?? 0) + 1)
    }
    const [most, count] = [...counts].reduce((one, other) => (other[1] > one[1] ? other : one))
    if (count <= (counts.get(id) ?? 0)) return undefined
    return [...this.#talks].find(([, talk]) => talk.id === most)?.[0]
  }

  async #talk(
    frames: Frames<MeetingMessage>,
    connection: SwarmConnection,
    id: string,
  ): Promise<void> {
    const { genesis, cloud, machine, inviter, swarm, now } = this.#options
    const guest = encodeKey(connection.remotePublicKey)
    const knock = await frames.next()
    const invitation = this.#book.find((one) => one.id === id)
    const body = genesis()
    if (knock.step !== 'knock' || invitation === undefined || body === null) return frames.close()
    const { handshakeHash } = connection
    const proof = proveInvitation(fromHex(invitation.seed), { handshakeHash, machine: guest })
    // Whoever is here by the DHT alone learns nothing.
    if (knock.proof !== proof) return frames.close()
    this.#talks.set(frames, { id, isInvited: true })
    const state = stateOf(invitation, now())
    if (state === 'expired' || state === 'withdrawn') {
      return frames.send({ step: 'refused', fault: state })
    }
    frames.send({
      step: 'offer',
      cloud,
      genesis: body,
      ...inviter(),
      expiresMs: invitation.expiresMs,
      machine,
      addresses: [...swarm.ownAddresses],
    })
    const accept = await frames.next()
    const attestation = accept.step === 'accept' ? openAttestation(accept.attestation, cloud) : null
    if (attestation === null || attestation.machine !== guest) {
      return frames.send({ step: 'refused', fault: 'forged' })
    }
    frames.send(await this.#admit(id, attestation))
  }

  /** Counts the use, and lets the person in once that is on the disk. */
  #admit(id: string, { person }: Attestation): Promise<MeetingMessage> {
    return this.#changes.run(async () => {
      const { admit, now, log } = this.#options
      const invitation = this.#book.find((one) => one.id === id)
      if (invitation === undefined) return { step: 'refused', fault: 'withdrawn' }
      const used = useInvitation(invitation, person, now())
      if ('fault' in used) return { step: 'refused', fault: used.fault }
      const admitted = admit(person)
      if ('fault' in admitted) return { step: 'refused', fault: admitted.fault }
      await this.#write(this.#book.map((one) => (one.id === id ? used.invitation : one)))
      log.info('a person came in by an invitation', { person, invitation: id })
      return {
        step: 'admitted',
        chain: admitted.chain,
        ...(admitted.invitation === null ? {} : { invitation: admitted.invitation }),
      }
    })
  }

  async #write(book: readonly Invitation[]): Promise<void> {
    await writeJsonFile(this.#path, { invitations: book })
    this.#book = book
  }
}

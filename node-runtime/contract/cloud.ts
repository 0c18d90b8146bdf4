// The `cloud` service: the cloud this machine is in, and the machines of it.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { ADMISSION_CHOICES, admissionReportSchema, connectionSchema } from './connection.ts'
import { listCalls } from './lists.ts'
import { machineDetailsSchema, machineSchema, ringSchema } from './machines.ts'
import { call } from './procedure.ts'
import {
  displayNameSchema,
  emptySchema,
  keySchema,
  MAX_FORM_CHARS,
  signedFormSchema,
  timeMsSchema,
  PHRASE_ERRORS,
  phraseSchema,
} from './values.ts'

/**
 * What the person should know of this machine, and what can be done. `FOLDER_COPIED`: the data folder
 * is a copy, so that this became a machine of its own. `IDENTITY_LOST`: who the person was is gone from
 * the folder, and another person began. `RECORDS_BEHIND`: records of version 0.1 are there and not
 * shown. `CLOUD_REOPENED`: what the machine knew of its clouds was lost. `FILE_MENDED`: a file that was
 * damaged or gone was replaced by the one before. `RECORDS_DAMAGED`: records on the disk were.
 * `RECORDS_PUT_ASIDE`: some do not hold by the rules of this version. `MACHINE_REVOKED`: its
 * person has revoked this machine. `MACHINE_TWICE`: another copy of this very machine is running. `CLOCK_OFF`: its
 * clock is far from those of other machines.
 */
export const noticeSchema = z.object({
  code: z.enum([
    'FOLDER_COPIED',
    'IDENTITY_LOST',
    'RECORDS_BEHIND',
    'CLOUD_REOPENED',
    'FILE_MENDED',
    'RECORDS_DAMAGED',
    'RECORDS_PUT_ASIDE',
    'MACHINE_REVOKED',
    'MACHINE_TWICE',
    'CLOCK_OFF',
  ]),
  message: z.string(),
})
export type CloudNotice = z.infer<typeof noticeSchema>

export const cloudStatusSchema = z.object({
  machine: keySchema,
  cloud: keySchema,
  /** This machine started the cloud; it did not join it. */
  originated: z.boolean(),
  /** Open connections to other machines of the cloud. */
  connections: z.number().int(),
  /**
   * `looking`: other machines are wanted or known, none is connected yet. `alone`: the cloud has
   * this machine only. `joined`: connected with at least one.
   */
  state: z.enum(['alone', 'looking', 'joined']),
  machineName: z.string(),
  /** Known machines of the cloud, this one included. */
  machinesKnown: z.number().int(),
  machinesOnline: z.number().int(),
  /**
   * How many machines the cloud has now, this one included: counted while they are few, else by how thick they stand
   * around this one on the rings.
   */
  machinesEstimated: z.number().int(),
  /** Is the DHT reachable? Null until the first try has ended. */
  dhtOnline: z.boolean().nullable(),
  startedMs: timeMsSchema,
  dataDir: z.string(),
  appVersion: z.string(),
  notices: z.array(noticeSchema),
})
export type CloudStatus = z.infer<typeof cloudStatusSchema>

export const knownCloudSchema = z.object({
  cloud: keySchema,
  /** This machine started it. */
  originated: z.boolean(),
  /** The one it is in now. */
  current: z.boolean(),
})
export type KnownCloud = z.infer<typeof knownCloudSchema>

/** How a cloud began, and what its owner may do. */
export const cloudInfoSchema = z.object({
  cloud: keySchema,
  /** As the owner called it; empty if it has none. Null while this machine has not heard how it began. */
  name: z.string().nullable(),
  admission: admissionReportSchema.shape.kind,
  /** This machine has a key that speaks for the cloud. */
  owner: z.boolean(),
  /** Who may speak for it. */
  keys: z.array(keySchema),
  /** Releases that were taken back, by their public keys. */
  revokedReleases: z.array(keySchema),
})
export type CloudInfo = z.infer<typeof cloudInfoSchema>

/** What a build carries to come into its cloud. Whoever has the build has this. */
export const releaseFileSchema = z.object({
  releaseFile: z.literal(1),
  /** How the cloud began; its hash is the cloud's id. */
  genesis: z.string().max(MAX_FORM_CHARS),
  /** The cloud's key says that this is a release of it. */
  release: signedFormSchema,
  /** The release's own secret key, hex. */
  secretKey: z.string().regex(/^[0-9a-f]{128}$/),
})
export type ReleaseFile = z.infer<typeof releaseFileSchema>

/** A release of the cloud, as its owner knows it. */
export const releaseInfoSchema = z.object({
  release: keySchema,
  /** Null of one that was not made on this machine, or by a version that did not keep it. */
  name: z.string().nullable(),
  madeMs: timeMsSchema.nullable(),
  /** Ms since 1970; null: it never expires, or that is not known. */
  expiresMs: timeMsSchema.nullable(),
  state: z.enum(['valid', 'expired', 'revoked']),
})
export type ReleaseInfo = z.infer<typeof releaseInfoSchema>

/** An invitation that this machine gave out. */
export const givenInvitationSchema = z.object({
  id: z.string(),
  /** `dharma:invite/…`; whoever has it may come in. */
  link: z.string(),
  /** The same as five words, to be spoken. */
  code: z.string(),
  uses: z.number().int(),
  used: z.number().int(),
  /** Persons that came in by it. */
  admitted: z.array(keySchema),
  expiresMs: timeMsSchema,
  state: z.enum(['open', 'used-up', 'expired', 'withdrawn']),
})
export type GivenInvitation = z.infer<typeof givenInvitationSchema>

const machineOfSchema = z.object({
  person: keySchema,
  /** Which of the person's machines said so. */
  machine: keySchema,
  /** Of that machine. */
  name: z.string(),
})

/** Who invited whom, where both want all of the cloud to see it. */
export const shownInvitationSchema = z.object({
  inviter: machineOfSchema,
  invited: machineOfSchema,
  /** When, ms since 1970, by the clock of the machine that let the other in. */
  atMs: timeMsSchema,
})
export type ShownInvitation = z.infer<typeof shownInvitationSchema>

export const invitationsSchema = z.object({
  /** The newest first. */
  given: z.array(givenInvitationSchema),
  /**
   * Who let this machine's person in, who let in those, and so on to whom the cloud's own key let in, the
   * nearest first. Empty where nobody is let in by others, or nobody did.
   */
  invitedBy: z.array(keySchema),
  /** Does this machine's person want it seen who invited them, and whom they did? */
  showing: z.boolean(),
  /** Who invited whom, of those who agree on showing it and whose machines this one knows; up to 200. */
  shown: z.array(shownInvitationSchema),
})
export type InvitationsReport = z.infer<typeof invitationsSchema>

/** What an invitation leads to. */
export const invitationOfferSchema = z.object({
  cloud: keySchema,
  /** As its owner called it; may be empty. */
  name: z.string(),
  inviter: z.object({ person: keySchema, name: z.string() }),
  expiresMs: timeMsSchema,
})
export type InvitationOffer = z.infer<typeof invitationOfferSchema>

const HOUR_MS = 3_600_000
/** More than a school has. */
const MAX_USES = 1_000

export const cloudContract = {
  status: call({ input: emptySchema, output: cloudStatusSchema }),
  machines: call({ input: emptySchema, output: z.object({ machines: z.array(machineSchema) }) }),
  /** One machine, with all that is known of it here. */
  machine: call({
    input: z.object({ machine: keySchema }),
    output: machineDetailsSchema,
    errors: ['MACHINE_UNKNOWN'],
  }),
  /** The same now, and again after every change. */
  watchMachine: call({
    input: z.object({ machine: keySchema }),
    output: eventIterator(machineDetailsSchema),
    errors: ['MACHINE_UNKNOWN'],
  }),
  /** The status and the machines now, and again after every change. */
  watch: call({
    input: emptySchema,
    output: eventIterator(
      z.object({ status: cloudStatusSchema, machines: z.array(machineSchema) }),
    ),
  }),
  /** The ring of servers: who follows whom, and what the token that goes around showed last. */
  ring: call({ input: emptySchema, output: ringSchema }),
  /** The same now, and again after every lap and every change. */
  watchRing: call({ input: emptySchema, output: eventIterator(ringSchema) }),
  /** By which ways this machine looks for the others, and how far each has come. */
  connection: call({ input: emptySchema, output: connectionSchema }),
  /** The same now, and again after every change. */
  watchConnection: call({ input: emptySchema, output: eventIterator(connectionSchema) }),
  /**
   * Begins a new cloud, and moves into it as `join` does. Only this machine has the key that speaks for it.
   */
  create: call({
    input: z.object({
      name: z.union([displayNameSchema, z.literal('')]).default(''),
      admission: z.enum(ADMISSION_CHOICES).default('open'),
      /** Where this machine has none any more; it is not kept. */
      phrase: phraseSchema.optional(),
    }),
    output: z.object({ cloud: keySchema, name: z.string(), admission: z.enum(ADMISSION_CHOICES) }),
    errors: [...PHRASE_ERRORS],
  }),
  /** How the present cloud began, who may speak for it, and which releases it took back. */
  info: call({ input: emptySchema, output: cloudInfoSchema }),
  /** Makes a release of the present cloud: what a build needs to come into it. For its owner. */
  release: call({
    input: z.object({
      name: displayNameSchema,
      /** Ms since 1970; null: it never expires. */
      expiresMs: timeMsSchema.nullable().default(null),
    }),
    output: z.object({ release: keySchema, file: releaseFileSchema }),
    errors: ['NOT_OWNER', 'LIMIT_REACHED'],
  }),
  /** The releases of the present cloud that were made on this machine, the newest first. For its owner. */
  releases: call({
    input: emptySchema,
    output: z.object({ releases: z.array(releaseInfoSchema) }),
    errors: ['NOT_OWNER'],
  }),
  /**
   * Takes a release of the present cloud back, for ever: machines that run it get no links. By its key, or the name
   * that it alone has. For its owner.
   */
  revokeRelease: call({
    input: z.object({ release: z.string().min(1).max(60) }),
    output: z.object({ release: keySchema }),
    errors: ['NOT_OWNER', 'LIMIT_REACHED', 'RELEASE_UNKNOWN'],
  }),
  /** Gives out an invitation into the present cloud. This machine must be on when somebody uses it. */
  invite: call({
    input: z.object({
      /** Persons that may come in by it. */
      uses: z.number().int().min(1).max(MAX_USES).default(1),
      /** How long it holds, ms. */
      lastsMs: z
        .number()
        .int()
        .min(60_000)
        .max(365 * 24 * HOUR_MS)
        .default(24 * HOUR_MS),
    }),
    output: givenInvitationSchema,
    errors: ['LIMIT_REACHED', 'INVITATION_INVALID'],
  }),
  /** The invitations that this machine gave out, by whom its own person came in, and who invited whom, if they agree. */
  invitations: call({ input: emptySchema, output: invitationsSchema }),
  /** Takes an invitation back: it lets nobody in any more. Who came in by it stays. */
  withdrawInvitation: call({
    input: z.object({ id: z.string().max(64) }),
    output: emptySchema,
    errors: ['INVITATION_INVALID'],
  }),
  /**
   * What the link or the words of an invitation lead to. Asks the machine that gave it out, and changes
   * nothing.
   */
  readInvitation: call({
    input: z.object({ invitation: z.string().max(500) }),
    output: invitationOfferSchema,
    errors: ['INVITATION_INVALID', 'PEER_UNREACHABLE'],
  }),
  /**
   * Leaves the present cloud and joins another, by its key, or by the link or the words of an invitation. The
   * records of the present one stay in the data folder; joining it again brings them back. The recovery phrase
   * is needed where this machine has none any more, and has not been in that cloud; it is not kept. `expected`
   * is the cloud that an invitation led to when the person looked: no other is joined by it.
   */
  join: call({
    input: z.object({
      cloud: z.string().max(500),
      phrase: phraseSchema.optional(),
      expected: keySchema.optional(),
    }),
    output: z.object({ cloud: keySchema }),
    errors: ['CLOUD_KEY_INVALID', 'INVITATION_INVALID', 'PEER_UNREACHABLE', ...PHRASE_ERRORS],
  }),
  /**
   * Every cloud that this machine has ever been in, the present one included, in the order in which
   * it came to them. Each key is enough to join that cloud again.
   */
  known: call({ input: emptySchema, output: z.object({ clouds: z.array(knownCloudSchema) }) }),
  /** Sets the name under which others see this machine. */
  renameMachine: call({
    input: z.object({ name: displayNameSchema }),
    output: emptySchema,
  }),
  /**
   * Whether the router is asked for a port (by PCP, NAT-PMP or UPnP), so that others reach this machine without its
   * help. It is kept for later starts.
   */
  setPortMapping: call({
    input: z.object({ on: z.boolean() }),
    output: emptySchema,
  }),
  /**
   * Whether all of a cloud may see who invited this machine's person, and whom this machine let in, where the others
   * agree, too. It is kept for later starts, and no if it was never set. What was seen once can't be taken back.
   */
  showInvitations: call({
    input: z.object({ on: z.boolean() }),
    output: emptySchema,
  }),
  ...listCalls,
}

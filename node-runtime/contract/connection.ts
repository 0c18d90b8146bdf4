// How a machine comes to the others, and what keeps it from them: ways of finding, admission, clock, router. The
// calls about it are in `cloud.ts`.
import * as z from 'zod'
import { listReportSchema } from './lists.ts'
import { timeMsSchema } from './values.ts'

/** The ways by which machines of a cloud find each other. */
export const WAY_NAMES = ['memory', 'lan', 'list', 'dht'] as const

/** One way of finding machines, and what came of it. */
export const wayReportSchema = z.object({
  /**
   * `memory`: machines of the last time, where they were then. `lan`: the local network. `list`: signed
   * lists on public places. `dht`: the DHT.
   */
  way: z.enum(WAY_NAMES),
  /** `off`: not to be tried. `waiting`: its turn comes. `asking`: under way now. */
  state: z.enum(['off', 'waiting', 'asking', 'answered', 'failed']),
  /** How long the last try took that has ended, ms. */
  tookMs: z.number().nonnegative().nullable(),
  /** Machines that it named in the last try. */
  found: z.number().int().nonnegative(),
  /** Machines that were linked because it had named them first, since the start. */
  reached: z.number().int().nonnegative(),
  /** Which step failed in the last try, such as `NO_NODE` or `UDP_BLOCKED`; null if none did. */
  step: z.string().nullable(),
  /** What came of it, in words, and what can be done. */
  message: z.string(),
})
export type WayReport = z.infer<typeof wayReportSchema>

/** How machines come into a cloud, which its beginning fixes for ever. */
export const ADMISSION_CHOICES = ['open', 'invitation', 'release'] as const

export const admissionReportSchema = z.object({
  /**
   * `link`: whoever knows the cloud's key comes in (clouds of before 0.3). `open`: whoever knows it and does
   * some work. `invitation`: whom somebody of the cloud lets in. `release`: who runs a build of the owner.
   * `unknown`: a kind of a later version.
   */
  kind: z.enum(['link', ...ADMISSION_CHOICES, 'unknown']),
  /**
   * `in`: what this machine shows lets it in, as far as it knows. `working`: it does the work that is asked.
   * `missing`: it has nothing to show. `refused`: what it shows does not let it in.
   */
  state: z.enum(['in', 'working', 'missing', 'refused']),
  /** Why, for programs, such as `INVITATION_MISSING` or `RELEASE_REVOKED`; null if it is in. */
  fault: z.string().nullable(),
  /**
   * One other machine says so, and what this one knows itself lets it in. It has not proved that it speaks for the
   * cloud, for whoever knows the cloud's key can say so; it counts until a machine lets this one in.
   */
  hearsay: z.boolean(),
})
export type AdmissionReport = z.infer<typeof admissionReportSchema>

/** How the clock of this computer stands to those of others. */
export const clockReportSchema = z.object({
  /** `right`: within a minute of theirs. `unknown`: no other machine has said yet what time it is. */
  state: z.enum(['right', 'ahead', 'behind', 'unknown']),
  /** How far it is ahead of the middle one of theirs, ms; below 0: behind. Null while that is not known. */
  skewMs: z.number().int().nullable(),
  /** So many machines have said what time it is, when a link with them opened. */
  machines: z.number().int().nonnegative(),
  /** How far the tick of the ring and this machine's own idea of it were apart, ms; null before a lap of the token. */
  tickSkewMs: z.number().nonnegative().nullable(),
  /** The same in words, and what can be done. */
  message: z.string(),
})
export type ClockReport = z.infer<typeof clockReportSchema>

/** A port at the router, by which others come in by themselves. */
export const portsSchema = z.object({
  /** Is the router to be asked for one? As the person has set it. */
  on: z.boolean(),
  /** `off`: it is not asked, because of that or of how the machine was started. */
  state: z.enum(['off', 'asking', 'mapped', 'failed']),
  /** By which protocol; null unless `mapped`. */
  by: z.enum(['pcp', 'nat-pmp', 'upnp']).nullable(),
  /** Where others come in, as HOST:PORT; null unless `mapped`. */
  address: z.string().nullable(),
  /** When it ends unless it is renewed, as it is long before; null also if it stays until it is taken back. */
  untilMs: timeMsSchema.nullable(),
  /** Which step failed, such as `NO_ANSWER`, `REFUSED` or `BEHIND_ANOTHER`; null if none did. */
  step: z.string().nullable(),
  /** What came of it, in words, and what can be done. */
  message: z.string(),
})
export type PortsReport = z.infer<typeof portsSchema>

export const connectionSchema = z.object({
  state: z.enum(['alone', 'looking', 'joined']),
  admission: admissionReportSchema.extend({
    /** The same in words, and what the person can do. */
    message: z.string(),
  }),
  /** All ways, in the order in which they are tried. */
  ways: z.array(wayReportSchema),
  /** The look-up lists of this cloud that are read. */
  lists: z.array(listReportSchema),
  /**
   * Open links, by how they go: straight to the other machine, or through an open machine of the cloud, because
   * no direct way has come yet, or none can: between two routers that are `symmetric`, none does.
   */
  links: z.object({
    direct: z.number().int().nonnegative(),
    relayed: z.number().int().nonnegative(),
  }),
  /** Links of others that go through this machine; null if none may, because others can't reach it by themselves. */
  relaying: z.number().int().nonnegative().nullable(),
  /**
   * How the router treats what comes from outside. `open`: others reach this machine. `home`: with its
   * help. `symmetric`: another port for each of them, so that two such machines can't meet directly.
   */
  nat: z.enum(['open', 'home', 'symmetric', 'unknown']),
  /** Where others may find this machine, as HOST:PORT. */
  addresses: z.array(z.string()),
  clock: clockReportSchema,
  ports: portsSchema,
})
export type ConnectionReport = z.infer<typeof connectionSchema>

// The machines of the cloud, as one of them sees them: the calls about them are in `cloud.ts`.
import * as z from 'zod'
import { keySchema, timeMsSchema } from './values.ts'

export const machineSchema = z.object({
  machine: keySchema,
  person: keySchema,
  name: z.string(),
  self: z.boolean(),
  /** It is linked with this machine, or was with another one that this one knows, in the last minutes. */
  online: z.boolean(),
  /** Its link fell silent, and others are asked now whether it answers them. */
  suspected: z.boolean(),
  /** Is there a link with it? In larger clouds each machine is linked with some of the others only. */
  linked: z.boolean(),
  /** Does its link go through another machine of the cloud? */
  relayed: z.boolean(),
  /** Where it stands on ring 0, as a share of the way around; null while that is not known. */
  place: z.number().min(0).max(1).nullable(),
  /** Round trip of the last heartbeat; null for this machine and for those not linked. */
  latencyMs: z.number().nonnegative().nullable(),
  kind: z.enum(['desktop', 'headless']),
  /** It says that others may go through it, which it does while they reach it by themselves. */
  relays: z.boolean(),
  appVersion: z.string(),
  /** When this machine last heard from it; now for the machine itself. */
  lastSeenMs: timeMsSchema,
  /** Its person has revoked it: it gets no links, and what it writes is not shown. */
  revoked: z.boolean(),
})
export type MachineInfo = z.infer<typeof machineSchema>

/** What is known of one machine beside `machines`: what it says of itself, and how it is linked here. */
export const machineDetailsSchema = z.object({
  machine: machineSchema,
  protocol: z.object({ version: z.number().int(), capabilities: z.array(z.string()) }),
  /** What its computer has, as it says itself; null if it says nothing. */
  resources: z
    .object({ cores: z.number().int().positive(), memoryBytes: z.number().int().positive() })
    .nullable(),
  /** Where it believes that it may be found, as HOST:PORT. */
  addresses: z.array(z.string()),
  /** Which rings have it next to this machine, counted from 0. */
  besideOn: z.array(z.number().int().nonnegative()),
  /** Null without a link. */
  link: z
    .object({
      /** Did this machine ask for it? */
      dialled: z.boolean(),
      /** HOST:PORT at the other end; null through another machine. */
      address: z.string().nullable(),
      /** The machine through which it goes; null if it is direct, or that is not known. */
      through: keySchema.nullable(),
      /** Since when it has been open. */
      openedMs: timeMsSchema,
      /** Round trips in the last ten minutes: means of equal stretches, ms, the oldest first; null: nothing heard. */
      latencies: z.object({
        stretchMs: z.number().positive(),
        meansMs: z.array(z.number().nonnegative().nullable()),
      }),
    })
    .nullable(),
})
export type MachineDetails = z.infer<typeof machineDetailsSchema>

/** The ring of servers, as this machine sees it. */
export const ringSchema = z.object({
  /**
   * This machine first, then those that it is linked with and whose place is known, as they follow on ring 0:
   * a token goes around them in this order.
   */
  machines: z.array(keySchema),
  /** What the token showed in its last lap; null before it has come twice, and for a machine alone. */
  lap: z
    .object({
      /** Grows each time the token is lost and made anew. */
      epoch: z.number().int().nonnegative(),
      /** How long the lap took, ms. */
      lapMs: z.number().nonnegative(),
      /** Machines that it went through. */
      hops: z.number().int().nonnegative(),
      /** Mean time from one machine to the next, ms. */
      hopMs: z.number().nonnegative(),
      /** By how much the ring's time and this machine's own idea of it were apart, ms. */
      skewMs: z.number().nonnegative(),
    })
    .nullable(),
  /** Seconds of the ring's time, which all of its machines count together; null before a token came. */
  tick: z.number().int().nullable(),
})
export type RingReport = z.infer<typeof ringSchema>

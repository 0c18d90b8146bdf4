// The `cloud` service: the cloud this machine is in, and the machines of it.
import { eventIterator } from '@orpc/contract'
import * as z from 'zod'
import { call } from './procedure.ts'
import { displayNameSchema, emptySchema, keySchema, timeMsSchema } from './values.ts'

/**
 * What the person should know of this machine, and what can be done. `FOLDER_COPIED`: the data folder
 * is a copy, so that this became a machine of its own. `IDENTITY_LOST`: who the person was is gone from
 * the folder, and another person began. `RECORDS_BEHIND`: records of version 0.1 are there and not
 * shown. `CLOUD_REOPENED`: what the machine knew of its clouds was lost. `FILE_MENDED`: a file that was
 * damaged or gone was replaced by the one before. `RECORDS_DAMAGED`: records on the disk were.
 * `MACHINE_TWICE`: another copy of this very machine is running.
 */
export const noticeSchema = z.object({
  code: z.enum([
    'FOLDER_COPIED',
    'IDENTITY_LOST',
    'RECORDS_BEHIND',
    'CLOUD_REOPENED',
    'FILE_MENDED',
    'RECORDS_DAMAGED',
    'MACHINE_TWICE',
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
  /** Is the DHT reachable? Null until the first try has ended. */
  dhtOnline: z.boolean().nullable(),
  startedMs: timeMsSchema,
  dataDir: z.string(),
  appVersion: z.string(),
  notices: z.array(noticeSchema),
})
export type CloudStatus = z.infer<typeof cloudStatusSchema>

export const machineSchema = z.object({
  machine: keySchema,
  person: keySchema,
  name: z.string(),
  self: z.boolean(),
  online: z.boolean(),
  /** Round trip of the last heartbeat; null for this machine and for those not connected. */
  latencyMs: z.number().nonnegative().nullable(),
  kind: z.enum(['desktop', 'headless']),
  appVersion: z.string(),
  /** When this machine last heard from it; now for the machine itself. */
  lastSeenMs: timeMsSchema,
})
export type MachineInfo = z.infer<typeof machineSchema>

export const knownCloudSchema = z.object({
  cloud: keySchema,
  /** This machine started it. */
  originated: z.boolean(),
  /** The one it is in now. */
  current: z.boolean(),
})
export type KnownCloud = z.infer<typeof knownCloudSchema>

export const cloudContract = {
  status: call({ input: emptySchema, output: cloudStatusSchema }),
  machines: call({ input: emptySchema, output: z.object({ machines: z.array(machineSchema) }) }),
  /** The status and the machines now, and again after every change. */
  watch: call({
    input: emptySchema,
    output: eventIterator(
      z.object({ status: cloudStatusSchema, machines: z.array(machineSchema) }),
    ),
  }),
  /**
   * Leaves the present cloud and joins another. The records of the present one stay in the data
   * folder; joining it again brings them back.
   */
  join: call({
    input: z.object({ cloud: z.string() }),
    output: z.object({ cloud: keySchema }),
    errors: ['CLOUD_KEY_INVALID'],
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
}

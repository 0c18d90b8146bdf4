// The values that a system handles, named for its author.
import type { CloudRecord, completenessSchema } from '../../node-runtime/contract/db.ts'
import type { Json } from '../../node-runtime/contract/values.ts'
import type * as z from 'zod'

export type { CloudRecord, Json }
export type {
  Outcome,
  ResultValue,
  ResultVerdict,
  SessionDescriptor,
  SessionFrame,
  SessionSummary,
} from '../../node-runtime/contract/sessions.ts'

/** How much of the cloud an answer covers. */
export type Completeness = z.infer<typeof completenessSchema>

/** A record whose value has the shape that the collection's schema demands. */
export type TypedRecord<T extends Json> = Omit<CloudRecord, 'value'> & { value: T }

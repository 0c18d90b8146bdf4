// A value in a text that somebody else wrote.
import type * as z from 'zod'
import { isShallow } from './canonical.ts'

/** What the text says, if it is JSON of this shape, nested no deeper than forms are; else null. Never throws. */
export function readJson<T>(text: string, schema: z.ZodType<T>): T | null {
  if (!isShallow(text)) return null
  try {
    const value = schema.safeParse(JSON.parse(text))
    return value.success ? value.data : null
  } catch {
    // No JSON.
    return null
  }
}

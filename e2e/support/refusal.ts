// What the command line says of a call that fails.
import { expect } from '@playwright/test'
import * as z from 'zod'

const failureSchema = z.strictObject({
  code: z.string(),
  message: z.string().min(1),
  details: z.unknown(),
})
export type Failure = z.infer<typeof failureSchema>

/** The exit of a child process as `execFile` rejects with it. */
const exitSchema = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() })

/**
 * The failure of a `dharma call`, once it has been checked that it came as promised: exit code 1,
 * nothing on stdout, and on stderr one JSON object with code, message and details.
 */
export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const ended: unknown = await call.then(
    (answer) => {
      throw new Error(`The call worked, with ${JSON.stringify(answer)}`)
    },
    (error: unknown) => error,
  )
  if (!exitSchema.safeParse(ended).success) throw ended
  const { code, stdout, stderr } = exitSchema.parse(ended)
  expect([code, stdout]).toEqual([1, ''])
  return failureSchema.parse(JSON.parse(stderr))
}

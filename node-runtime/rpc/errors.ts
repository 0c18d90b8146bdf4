// Errors on the wire: CloudError to the RPC library's error and back, so that code, message and
// details arrive as they left.
import { ORPCError } from '@orpc/client'
import { CloudError, isErrorCode } from '../contract/errors.ts'
import type { ErrorCode } from '../contract/errors.ts'

const LIBRARY_CODES: Record<string, ErrorCode> = {
  BAD_REQUEST: 'BAD_INPUT',
  NOT_FOUND: 'UNKNOWN_CALL',
  UNAUTHORIZED: 'UNAUTHENTICATED',
  TIMEOUT: 'TIMEOUT',
  CLIENT_CLOSED_REQUEST: 'CANCELLED',
}

/** As the schema library has them; of a union, why each of its parts does not fit. */
interface Issue {
  path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined
  message: string
  code?: string
  keys?: readonly string[]
  errors?: readonly (readonly Issue[])[]
}

/** An answer with more is read by nobody. */
const MAX_REASONS = 5

function isMissing({ message, errors = [] }: Issue): boolean {
  if (message.endsWith('received undefined')) return true
  return errors.some((part) => part.some((issue) => !issue.path?.length && isMissing(issue)))
}

function describeIssue(issue: Issue): string {
  const { code, keys = [], message } = issue
  const path = (issue.path ?? [])
    .map((part) => String(typeof part === 'object' ? part.key : part))
    .join('.')
  if (code === 'unrecognized_keys') {
    const names = keys.map((key) => `"${key}"`).join(', ')
    if (path !== '') return `"${path}" knows no ${names}`
    return `${names} ${keys.length === 1 ? 'is' : 'are'} not known here`
  }
  if (path === '') return message
  if (isMissing(issue)) return `"${path}" is missing`
  return code === 'custom' ? `"${path}" ${message}` : `"${path}": ${message}`
}

/** Why an input does not fit, in a sentence that names every reason. */
export function describeIssues(issues: readonly Issue[]): string {
  const reasons = issues.slice(0, MAX_REASONS).map(describeIssue)
  const more = issues.length - reasons.length
  if (more > 0) reasons.push(`and ${more} more`)
  return `The arguments do not fit the call: ${reasons.join('; ')}.`
}

function issuesOf(data: unknown): Issue[] | null {
  if (typeof data !== 'object' || data === null || !('issues' in data)) return null
  return Array.isArray(data.issues) ? (data.issues as Issue[]) : null
}

/** For the server: what goes over the wire. Unknown errors become INTERNAL, without their text. */
export function toWireError(error: unknown): ORPCError<string, unknown> {
  if (error instanceof CloudError) {
    return new ORPCError(error.code, { message: error.message, data: error.details, cause: error })
  }
  const known = error instanceof ORPCError ? fromWireError(error) : null
  if (known !== null && known.code !== 'INTERNAL') {
    return new ORPCError(known.code, { message: known.message, data: known.details, cause: error })
  }
  return new ORPCError('INTERNAL', {
    message: 'Something went wrong inside Dharma. The log of this machine has the details.',
    data: {},
    cause: error,
  })
}

/** For the client: any failure of a call as a CloudError. */
export function fromWireError(error: unknown): CloudError {
  if (error instanceof CloudError) return error
  if (error instanceof ORPCError) {
    const code = isErrorCode(error.code) ? error.code : (LIBRARY_CODES[error.code] ?? 'INTERNAL')
    const issues = issuesOf(error.data)
    // The library's own; a CloudError that refuses an input has words for it already.
    if (error.code === 'BAD_REQUEST' && issues !== null) {
      return new CloudError(code, describeIssues(issues), {
        issues: issues.map(({ path, message }) => ({ path, message })),
      })
    }
    if (code === 'UNKNOWN_CALL' && error.code === 'NOT_FOUND') {
      return new CloudError(code, 'This machine does not know the call; its version may be older.')
    }
    return new CloudError(code, error.message, error.data ?? {})
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new CloudError('CANCELLED', 'The call was cancelled.')
  }
  return new CloudError('INTERNAL', error instanceof Error ? error.message : String(error))
}

import { CloudError } from '../../node-runtime/contract/errors.ts'

/** Any failure as a CloudError, so that there always is a code to switch on. */
export function toCloudError(error: unknown): CloudError {
  if (error instanceof CloudError) return error
  return new CloudError('INTERNAL', error instanceof Error ? error.message : String(error))
}

// TypeScript to JavaScript by blanking out the types: no build step for systems, and every line and
// column of an error stays where the author wrote it.
import { CloudError } from '../contract/errors.ts'

interface SyntaxFault {
  message: string
  startLine: number
  startColumn: number
  snippet: string
}

function isSyntaxFault(error: unknown): error is SyntaxFault {
  return (
    typeof error === 'object' &&
    error !== null &&
    'message' in error &&
    'startLine' in error &&
    'startColumn' in error
  )
}

/**
 * The module without its types. Syntax that does more than describe types (enums, parameter
 * properties, namespaces with values) is refused.
 * @param path  names the module in errors
 * @throws CloudError SYSTEM_CODE_INVALID with { path, line, column, snippet }
 */
export async function stripTypes(source: string, path: string): Promise<string> {
  // A large compiler: loaded for the first system, not at every start.
  const { transformSync } = await import('amaro')
  try {
    return transformSync(source, { mode: 'strip-only', filename: path }).code
  } catch (error) {
    if (!isSyntaxFault(error)) throw error
    const { startLine: line, startColumn: column, snippet } = error
    throw new CloudError(
      'SYSTEM_CODE_INVALID',
      `${path}:${line}:${column + 1}: ${error.message}`,
      { path, line, column: column + 1, snippet },
      { cause: error },
    )
  }
}

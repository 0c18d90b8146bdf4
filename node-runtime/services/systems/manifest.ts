// Reads `dharma.json` from the files of a repository and checks everything it promises.
import { CloudError } from '../../contract/errors.ts'
import { manifestSchema } from '../../contract/manifest.ts'
import type { Manifest } from '../../contract/manifest.ts'
import { sharedJudge } from '../../sandbox/schema-judge.ts'
import { stripTypes } from '../../sandbox/strip-types.ts'

/** Where a repository has its manifest. */
export const MANIFEST_PATH = 'dharma.json'

/** Twenty collections with generous schemas; the person's machine parses it before any consent. */
const MAX_MANIFEST_BYTES = 256 * 1024

interface ManifestIssue {
  /** Where in the manifest, such as `collections.notes.schema`; empty for the whole. */
  path: string
  message: string
}

/** Is this a module that has to lose its types before it can run? */
export function isTypeScript(path: string): boolean {
  return /\.m?ts$/.test(path)
}

function invalid(issues: ManifestIssue[]): CloudError {
  const lines = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  return new CloudError('MANIFEST_INVALID', `${MANIFEST_PATH} is not valid. ${lines.join('; ')}.`, {
    issues,
  })
}

/**
 * The manifest among these files (by path in the repository), with defaults filled in.
 * @throws CloudError MANIFEST_MISSING, or MANIFEST_INVALID with all `issues` in its details
 */
export async function readManifest(files: ReadonlyMap<string, Uint8Array>): Promise<Manifest> {
  const bytes = files.get(MANIFEST_PATH)
  if (bytes === undefined) {
    throw new CloudError(
      'MANIFEST_MISSING',
      `This repository is not a system: it has no file ${MANIFEST_PATH} at its root.`,
    )
  }
  const json = parseJson(bytes)
  const manifest = parseManifest(json)
  const issues = [
    ...findFileIssues(manifest, files),
    ...(await findRulesIssues(manifest, files)),
    ...(await findSchemaIssues(manifest)),
  ]
  if (issues.length > 0) throw invalid(issues)
  return manifest
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw invalid([{ path: '', message: `It is larger than ${MAX_MANIFEST_BYTES >> 10} kB` }])
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'it is not UTF-8 text'
    throw invalid([{ path: '', message: `It can't be read as JSON: ${reason}` }])
  }
}

function parseManifest(json: unknown): Manifest {
  try {
    const { data, error } = manifestSchema.safeParse(json)
    if (error === undefined) return data
    throw invalid(
      error.issues.map(({ path, message }) => ({
        path: path.join('.'),
        message: valueAt(json, path) === undefined ? 'is missing' : message,
      })),
    )
  } catch (error) {
    // Checking a schema is recursive; a few kilobytes of brackets go deeper than the stack.
    if (error instanceof RangeError)
      throw invalid([{ path: '', message: 'It is nested too deeply' }])
    throw error
  }
}

function valueAt(json: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    json,
  )
}

function findFileIssues(
  manifest: Manifest,
  files: ReadonlyMap<string, Uint8Array>,
): ManifestIssue[] {
  const named: [path: string, file: string | undefined][] = [
    ['ui', manifest.ui],
    ['icon', manifest.icon],
    ...Object.entries(manifest.sessions).map(([kind, { rules }]): [string, string] => [
      `sessions.${kind}.rules`,
      rules,
    ]),
  ]
  return named.flatMap(([path, file]) =>
    file === undefined || files.has(file)
      ? []
      : [{ path, message: `the repository has no file "${file}"` }],
  )
}

async function findRulesIssues(
  manifest: Manifest,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<ManifestIssue[]> {
  const issues: ManifestIssue[] = []
  for (const [kind, { rules }] of Object.entries(manifest.sessions)) {
    const bytes = files.get(rules)
    if (bytes === undefined || !isTypeScript(rules)) continue
    try {
      await stripTypes(new TextDecoder().decode(bytes), rules)
    } catch (error) {
      if (!(error instanceof CloudError)) throw error
      issues.push({ path: `sessions.${kind}.rules`, message: error.message })
    }
  }
  return issues
}

async function findSchemaIssues(manifest: Manifest): Promise<ManifestIssue[]> {
  const issues: ManifestIssue[] = []
  for (const [name, { schema }] of Object.entries(manifest.collections)) {
    const path = `collections.${name}.schema`
    const faults = await sharedJudge().checkSchema(schema, manifest.id)
    issues.push(...faults.map((message) => ({ path, message })))
  }
  return issues
}

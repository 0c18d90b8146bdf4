// Rules as one text of bytes that is found by its hash: the module and all it imports, without types,
// with the engine that runs it and the limits it runs under. Whoever has the bytes can repeat every
// decision, whatever version of the system is installed.
import * as z from 'zod'
import { CloudError } from '../contract/errors.ts'
import { repoPathSchema } from '../contract/manifest.ts'
import { canonicalJson } from '../core/canonical.ts'
import { domainBytes, hash, toHex } from '../core/keys.ts'
import type { RulesAnswer } from '../ports/rules.ts'
import type { RulesLimits, RulesModules } from './rules-messages.ts'
import { stripTypes } from './strip-types.ts'

const RULES_DOMAIN = 'dharma/rules/1'
/** Rules travel with results; a game's take a few kilobytes. */
export const MAX_BUNDLE_BYTES = 1024 * 1024
/** Each file costs a question to the interpreter. */
const MAX_FILES = 64

/**
 * The pinned WebAssembly of QuickJS (package and version, and its variant), and the version of the
 * harness around the rules. Bundles of another engine are kept, and run by nobody here.
 */
export const RULES_ENGINE = '@jitl/quickjs-wasmfile-release-sync@0.31.0 harness/1'

/** Generous for a game's rules, and the same on all machines. */
export const RULES_LIMITS: RulesLimits = {
  memoryBytes: 64 * 1024 * 1024,
  stackBytes: 256 * 1024,
  interrupts: 3_000,
  outputChars: 262_144,
  outputDepth: 64,
}

const contentSchema = z.looseObject({
  kind: z.literal('rules'),
  v: z.literal(1),
  engine: z.string().max(200),
  entry: repoPathSchema,
  limits: z.record(z.string(), z.number()),
  modules: z.record(repoPathSchema, z.string()),
})
export type RulesContent = z.infer<typeof contentSchema>

/** Immutable: the hash is that of the bytes. */
export interface RulesBundle {
  /** 64 hex digits. */
  readonly hash: string
  readonly bytes: Uint8Array
}

export interface RulesSource {
  /** The rules module's path in the repository. */
  entry: string
  /** A file of the same repository; rejects when there is none. */
  readFile: (path: string) => Promise<string>
  /** Whose turn it is to wait when there is much to do, such as the system's key. */
  owner?: string
}

/** Says which file a module still lacks, if it exports the rules' functions otherwise. */
export interface RulesLinker {
  link(modules: RulesModules, owner?: string): Promise<RulesAnswer<{ missing: string | null }>>
}

function sealed(text: string): RulesBundle {
  return {
    hash: toHex(hash(domainBytes(RULES_DOMAIN, text))),
    bytes: new TextEncoder().encode(text),
  }
}

/** The bundle in these bytes, from anywhere; null if they are none. Never throws. */
export function readBundle(bytes: Uint8Array): RulesBundle | null {
  const content = contentOf(bytes)
  return content === null ? null : sealed(content.text)
}

/** What a bundle holds; null if these bytes are none. Never throws. */
export function contentOf(bytes: Uint8Array): { text: string; content: RulesContent } | null {
  if (bytes.length > MAX_BUNDLE_BYTES) return null
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const { data } = contentSchema.safeParse(JSON.parse(text))
    if (data === undefined || !Object.hasOwn(data.modules, data.entry)) return null
    return canonicalJson(JSON.parse(text)) === text ? { text, content: data } : null
  } catch {
    // Not UTF-8, not JSON, or nested deeper than the stack: no bundle.
    return null
  }
}

function failed(reason: string): CloudError {
  return new CloudError('RULES_FAILED', `The rules of this session failed: ${reason}.`, { reason })
}

/**
 * Gathers a rules module and its relative imports, strips their types, and sees that it exports the
 * rules' functions. The interpreter itself says which import it lacks.
 * @throws CloudError RULES_FAILED, UNAVAILABLE
 */
export async function bundleRules(source: RulesSource, linker: RulesLinker): Promise<RulesBundle> {
  const modules: Record<string, string> = {}
  let missing: string | null = source.entry
  while (missing !== null) {
    if (Object.keys(modules).length >= MAX_FILES) throw failed('they consist of too many files')
    modules[missing] = await readModule(source, missing)
    const sizeBytes = Buffer.byteLength(JSON.stringify(modules))
    if (sizeBytes > MAX_BUNDLE_BYTES) throw failed('their files are too large')
    const linked = await linker.link({ entry: source.entry, modules }, source.owner)
    if (linked.kind === 'failed') throw failed(linked.reason)
    if (linked.kind === 'unavailable') {
      throw linked.lasting
        ? failed(linked.reason)
        : new CloudError('UNAVAILABLE', `The rules could not be read: ${linked.reason}. Try again.`)
    }
    missing = linked.missing
  }
  const { entry } = source
  const content: RulesContent = {
    kind: 'rules',
    v: 1,
    engine: RULES_ENGINE,
    entry,
    limits: { ...RULES_LIMITS },
    modules,
  }
  const bundle = sealed(canonicalJson(content))
  if (bundle.bytes.length > MAX_BUNDLE_BYTES) throw failed('their files are too large')
  return bundle
}

async function readModule({ readFile }: RulesSource, path: string): Promise<string> {
  let text: string
  try {
    text = await readFile(path)
  } catch (error) {
    throw failed(
      `${path} could not be read (${error instanceof Error ? error.message : 'unknown'})`,
    )
  }
  if (text.length > MAX_BUNDLE_BYTES) throw failed(`${path} is too large`)
  try {
    return await stripTypes(text, path)
  } catch (error) {
    if (error instanceof CloudError && error.code === 'SYSTEM_CODE_INVALID') {
      throw failed(error.message)
    }
    throw error
  }
}

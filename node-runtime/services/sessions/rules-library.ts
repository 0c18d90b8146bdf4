// The rules of session kinds: those of the installed versions, and those that sessions and results name
// by their hash, whatever is installed now.
import { CloudError } from '../../contract/errors.ts'
import type { Manifest, SessionKind } from '../../contract/manifest.ts'
import type { RulesRunner } from '../../ports/rules.ts'
import { bundleRules, readBundle } from '../../sandbox/rules-bundle.ts'
import type { RulesBundle } from '../../sandbox/rules-bundle.ts'
import type { RulesPool } from '../../sandbox/rules-pool.ts'
import type { Parts } from './parts.ts'

/** Bundles whose text is kept in memory; each is a megabyte at most. */
const MAX_HELD = 32

/** What is installed on this machine. */
export interface InstalledSystems {
  /** The one whose sessions are those under this key. */
  ownerOf(key: string): { key: string; manifest: Manifest } | undefined
  /** A file of a system's repository; rejects when there is none. */
  readFile(id: string, path: string): Promise<Uint8Array>
}

export class RulesLibrary {
  readonly #systems: InstalledSystems
  readonly #pool: RulesPool
  readonly #parts: Parts
  readonly #installed = new Map<string, { manifest: Manifest; bundle: Promise<RulesBundle> }>()
  readonly #held = new Map<string, RulesBundle>()

  constructor(systems: InstalledSystems, pool: RulesPool, parts: Parts) {
    this.#systems = systems
    this.#pool = pool
    this.#parts = parts
  }

  /** @throws CloudError SYSTEM_NOT_INSTALLED, SESSION_KIND_UNKNOWN */
  kindOf(system: string, kind: string): SessionKind {
    const { manifest } = this.#ownerOf(system)
    const found = Object.hasOwn(manifest.sessions, kind) ? manifest.sessions[kind] : undefined
    if (found !== undefined) return found
    throw new CloudError(
      'SESSION_KIND_UNKNOWN',
      `"${manifest.name}" knows no sessions of the kind "${kind}".`,
      { system, kind, kinds: Object.keys(manifest.sessions) },
    )
  }

  /**
   * The hash of the installed version's rules for a kind. From now on this machine keeps them.
   * @throws CloudError SYSTEM_NOT_INSTALLED, SESSION_KIND_UNKNOWN, RULES_FAILED, UNAVAILABLE
   */
  async installedRules(system: string, kind: string): Promise<string> {
    const bundle = await this.#installedBundle(system, kind)
    this.#hold(bundle)
    await this.#parts.put(bundle.hash, bundle.bytes)
    return bundle.hash
  }

  /**
   * The rules with this hash: those of an installed version need nobody else; others come from a machine that has them.
   * @param likely  machines that are asked first
   * @throws CloudError RULES_MISSING
   */
  async runnerOf(hash: string, system: string, likely: readonly string[]): Promise<RulesRunner> {
    let bundle = this.#held.get(hash) ?? (await this.#installedWith(hash, system))
    if (bundle === undefined) {
      const bytes = await this.#parts.get('rules', hash, likely)
      bundle = (bytes === null ? null : readBundle(bytes)) ?? undefined
    }
    if (bundle === undefined) {
      throw new CloudError(
        'RULES_MISSING',
        'No machine in reach has the rules that this is played by. It works as soon as one does.',
        { rules: hash },
      )
    }
    this.#hold(bundle)
    return this.#pool.runner(bundle, system)
  }

  async #installedWith(hash: string, system: string): Promise<RulesBundle | undefined> {
    const kinds = Object.keys(this.#systems.ownerOf(system)?.manifest.sessions ?? {})
    for (const kind of kinds) {
      const bundle = await this.#installedBundle(system, kind).catch((error: unknown) => {
        // Of a kind whose rules are broken, or that was uninstalled meanwhile, there is nothing here.
        if (error instanceof CloudError) return undefined
        throw error
      })
      if (bundle?.hash === hash) return bundle
    }
    return undefined
  }

  /** @throws CloudError SYSTEM_NOT_INSTALLED, SESSION_KIND_UNKNOWN, RULES_FAILED, UNAVAILABLE */
  async #installedBundle(system: string, kind: string): Promise<RulesBundle> {
    const { rules: entry } = this.kindOf(system, kind)
    const { key, manifest } = this.#ownerOf(system)
    const name = `${key}/${kind}`
    let held = this.#installed.get(name)
    if (held?.manifest !== manifest) {
      const readFile = async (path: string): Promise<string> =>
        Buffer.from(await this.#systems.readFile(key, path)).toString('utf8')
      const bundle = bundleRules({ entry, readFile }, this.#pool)
      held = { manifest, bundle }
      this.#installed.set(name, held)
      // What failed is tried anew by the next who asks.
      bundle.catch(() => this.#installed.delete(name))
    }
    return held.bundle
  }

  #hold(bundle: RulesBundle): void {
    this.#held.delete(bundle.hash)
    this.#held.set(bundle.hash, bundle)
    const [oldest] = this.#held.keys()
    if (this.#held.size > MAX_HELD && oldest !== undefined) this.#held.delete(oldest)
  }

  #ownerOf(system: string): { key: string; manifest: Manifest } {
    const installed = this.#systems.ownerOf(system)
    if (installed !== undefined) return installed
    throw new CloudError(
      'SYSTEM_NOT_INSTALLED',
      `"${system}" is not installed on this machine. Install it to play or watch its sessions.`,
      { system },
    )
  }
}

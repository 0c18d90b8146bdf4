// The rules of the installed systems' session kinds, each in its sandbox.
import { CloudError } from '../../contract/errors.ts'
import type { Manifest, SessionKind } from '../../contract/manifest.ts'
import { RulesSandbox } from '../../sandbox/rules-sandbox.ts'

/** What is installed on this machine. */
export interface InstalledSystems {
  get(id: string): { manifest: Manifest } | undefined
  /** A file of a system's repository; rejects when there is none. */
  readFile(id: string, path: string): Promise<Uint8Array>
}

export class RulesLibrary {
  readonly #systems: InstalledSystems
  readonly #sandboxes = new Map<string, { manifest: Manifest; rules: RulesSandbox }>()

  constructor(systems: InstalledSystems) {
    this.#systems = systems
  }

  /** @throws CloudError SYSTEM_NOT_INSTALLED, SESSION_KIND_UNKNOWN */
  kindOf(system: string, kind: string): SessionKind {
    const manifest = this.#manifestOf(system)
    const found = Object.hasOwn(manifest.sessions, kind) ? manifest.sessions[kind] : undefined
    if (found !== undefined) return found
    throw new CloudError(
      'SESSION_KIND_UNKNOWN',
      `"${manifest.name}" knows no sessions of the kind "${kind}".`,
      { system, kind, kinds: Object.keys(manifest.sessions) },
    )
  }

  /**
   * The rules of the installed version. An update gives later callers a new sandbox; sessions that
   * began before it go on with the old one.
   * @throws CloudError SYSTEM_NOT_INSTALLED, SESSION_KIND_UNKNOWN, RULES_FAILED
   */
  async rulesOf(system: string, kind: string): Promise<RulesSandbox> {
    const entry = this.kindOf(system, kind).rules
    const manifest = this.#manifestOf(system)
    const name = `${system}/${kind}`
    let held = this.#sandboxes.get(name)
    if (held?.manifest !== manifest) {
      const readFile = async (path: string): Promise<string> =>
        Buffer.from(await this.#systems.readFile(system, path)).toString('utf8')
      held = { manifest, rules: new RulesSandbox({ entry, readFile }) }
      this.#sandboxes.set(name, held)
    }
    await held.rules.load()
    return held.rules
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sandboxes.values()].map(({ rules }) => rules.close()))
  }

  #manifestOf(system: string): Manifest {
    const installed = this.#systems.get(system)
    if (installed !== undefined) return installed.manifest
    throw new CloudError(
      'SYSTEM_NOT_INSTALLED',
      `"${system}" is not installed on this machine. Install it to play or watch its sessions.`,
      { system },
    )
  }
}

// What the app was started with. Pure.
import path from 'node:path'
import { isInvitationLink } from '../../node-runtime/contract/join-text.ts'
import { CloudError } from '../../node-runtime/contract/errors.ts'
import { parseBootstrap } from '../../node-runtime/host/bootstrap.ts'
import { defaultDataDir } from '../../node-runtime/host/default-data-dir.ts'
import { parseListUrl } from '../../node-runtime/host/list-option.ts'

/** A node of the DHT to begin with. */
export interface BootstrapNode {
  host: string
  port: number
}

export interface StartArguments {
  dataDir: string
  cloud: string | null
  bootstrap: BootstrapNode[] | null
  /** Look-up lists to read from now on, as if they were added in the settings. */
  lists: string[]
  /** Addresses to open, from links outside of the app. */
  urls: string[]
}

/**
 * The `cloud:` and `dharma:` addresses among the arguments, the latter as the former, and the links of
 * invitations as they are.
 */
export function findUrls(argv: readonly string[]): string[] {
  return argv.flatMap((argument) => {
    if (!/^(cloud|dharma):/i.test(argument)) return []
    if (isInvitationLink(argument)) return [argument]
    return /^\w+:\/\/[a-z0-9]/i.test(argument) ? [argument.replace(/^dharma:/i, 'cloud:')] : []
  })
}

/**
 * Reads the command line: `--data DIR`, `--cloud KEY`, `--bootstrap HOST:PORT,…`, `--list URL` (several times, if need
 * be), also with `=`, and addresses. Switches of Chromium and anything else are left alone.
 * @throws CloudError BAD_INPUT when a value is missing or has the wrong form; LIST_URL_INVALID
 */
export function parseArguments(argv: readonly string[]): StartArguments {
  const values = new Map<string, string>()
  const lists: string[] = []
  for (const [at, argument] of argv.entries()) {
    const [, name, inline] = /^--(data|cloud|bootstrap|list)(?:=(.*))?$/.exec(argument) ?? []
    if (name === undefined) continue
    const value = inline ?? argv[at + 1]
    if (value === undefined || value === '' || value.startsWith('--')) {
      throw new CloudError('BAD_INPUT', `--${name} wants a value.`)
    }
    if (name === 'list') lists.push(parseListUrl(value))
    else values.set(name, value)
  }
  const bootstrap = values.get('bootstrap')
  return {
    dataDir: path.resolve(values.get('data') ?? defaultDataDir()),
    cloud: values.get('cloud') ?? null,
    bootstrap: bootstrap === undefined ? null : parseBootstrap(bootstrap),
    lists,
    urls: findUrls(argv),
  }
}

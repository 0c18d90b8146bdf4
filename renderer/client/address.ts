// Addresses: what a person types or follows, and what it names. Pure.

export const BUILT_IN_PAGES = ['home', 'systems', 'machines', 'connection', 'settings'] as const
export type BuiltInPage = (typeof BUILT_IN_PAGES)[number]

/** What an address names. */
export type Target =
  | { kind: 'page'; page: BuiltInPage; address: string }
  | { kind: 'system'; system: string; path: string; address: string }
  | { kind: 'web'; url: string; address: string }

/** Hosts whose pages with two path parts are, as a rule, repositories. */
const FORGES = ['github.com', 'gitlab.com', 'codeberg.org', 'bitbucket.org', 'git.sr.ht']

const SYSTEM_ID = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const HOST =
  /^(localhost|\[[0-9a-f:]+\]|[\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?(\.[\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?)*)(:\d{1,5})?$/iu

/** Is this host name the own machine? */
export function isLocalHost(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(host)
  )
}

function isBuiltInPage(text: string): text is BuiltInPage {
  return (BUILT_IN_PAGES as readonly string[]).includes(text)
}

/** The address of a built-in page. */
export function pageAddress(page: BuiltInPage): string {
  return `cloud://${page}`
}

/** The address of a system's page. `path` begins with `/`. */
export function systemAddress(system: string, path = '/'): string {
  return `cloud://${system}${path}`
}

function parseCloud(text: string): Target | null {
  const rest = text.slice('cloud://'.length)
  const [, host = '', path = ''] = /^([^/?#]*)(.*)$/.exec(rest) ?? []
  const name = host.toLowerCase()
  if (isBuiltInPage(name)) return { kind: 'page', page: name, address: pageAddress(name) }
  if (name === 'dharma' || !SYSTEM_ID.test(name)) return null
  const fullPath = path.startsWith('/') ? path : `/${path}`
  return { kind: 'system', system: name, path: fullPath, address: systemAddress(name, fullPath) }
}

function parseWeb(text: string): Target | null {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return null
  }
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') return null
  // A name and password in an address only serve to hide its real host.
  if (url.username !== '' || url.password !== '') return null
  return { kind: 'web', url: url.href, address: url.href }
}

/**
 * What the text names, or null if it is no address. Without a scheme it is a host: `https:`, or
 * `http:` on the own machine.
 */
export function parseAddress(input: string): Target | null {
  const text = input.trim()
  if (text === '' || /\s/.test(text)) return null
  if (/^cloud:\/\//i.test(text)) return parseCloud(text)
  if (/^https?:\/\//i.test(text)) return parseWeb(text)
  const [, authority = ''] = /^([^/?#]*)/.exec(text) ?? []
  if (!HOST.test(authority)) return null
  const host = authority.replace(/:\d+$/, '').toLowerCase()
  return parseWeb(`${isLocalHost(host) ? 'http' : 'https'}://${text}`)
}

const ABSOLUTE_PATH = /^\/(?!\/)/
const DRIVE_PATH = /^[a-z]:[\\/]/i

/**
 * The address that a repository is asked for at: a path of this computer becomes its `file:` address,
 * anything else stays as it is.
 */
export function repositoryAddress(input: string): string {
  const text = input.trim()
  const hasDrive = DRIVE_PATH.test(text)
  if (!hasDrive && !ABSOLUTE_PATH.test(text)) return text
  const path = hasDrive ? `/${text.replaceAll('\\', '/')}` : text
  // A colon may stand in a path, and has to after the letter of a drive.
  const segments = path.split('/').map((part) => encodeURIComponent(part).replaceAll('%3A', ':'))
  return `file://${segments.join('/')}`
}

/**
 * How likely the text names a repository: `certain` by its form (`….git`, `ssh:`, `file:`, `hyper:`,
 * `git@host:path` or a path of this computer), `likely` a forge's page, `possible` any other web page, else `no`.
 */
export function guessRepository(input: string): 'certain' | 'likely' | 'possible' | 'no' {
  const text = repositoryAddress(input)
  if (text === '' || /\s/.test(text)) return 'no'
  if (/^(ssh|git|file|hyper):\/\/./i.test(text) || /^[\w.-]+@[\w.-]+:./.test(text)) return 'certain'
  const target = parseAddress(text)
  if (target?.kind !== 'web') return 'no'
  const { hostname, pathname } = new URL(target.url)
  if (pathname.endsWith('.git')) return 'certain'
  const parts = pathname.split('/').filter((part) => part !== '')
  if (FORGES.includes(hostname.replace(/^www\./, '')) && parts.length === 2) return 'likely'
  return parts.length > 0 && /^https?:\/\//i.test(text) ? 'possible' : 'no'
}

/**
 * Which view an address may share: all web pages one, each system its own, because their origins,
 * storage and processes differ.
 */
export function viewKind(target: Target): string {
  if (target.kind === 'system') return `system:${target.system}`
  return target.kind
}

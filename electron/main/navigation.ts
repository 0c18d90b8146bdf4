// Where pages may go. Pure decisions; `page-guard.ts` puts them into force.
import { isInvitationLink } from '../../node-runtime/contract/join-text.ts'
import { keySchema, systemNameSchema } from '../../node-runtime/contract/values.ts'
import { RESERVED_SYSTEM_IDS } from '../../node-runtime/contract/manifest.ts'

/** Whose page it is. `system` is the system's key, under which its pages and their storage lie. */
export type PageOwner = { kind: 'shell' } | { kind: 'web' } | { kind: 'system'; system: string }

/** What an address of a tab names. */
export type Target = { kind: 'web'; url: string } | { kind: 'system'; system: string; url: string }

export type Decision =
  /** The page goes there itself. */
  | 'allow'
  /** The shell opens it in a tab, as it sees fit. */
  | 'hand-over'
  | 'deny'

export const SHELL_ORIGIN = 'cloud://dharma'

function parse(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

/** A `cloud:` address that is a name and nothing more: no port, nobody's name and password. */
function isPlainCloud(url: URL): boolean {
  return url.protocol === 'cloud:' && url.port === '' && url.username === '' && url.password === ''
}

/** `cloud://home`: the shell's own pages, which no view shows. */
function isBuiltInPage(url: URL): boolean {
  return isPlainCloud(url) && RESERVED_SYSTEM_IDS.includes(url.hostname)
}

/** Does the address name a system, by its key or as people do? The shell finds out which one. */
function namesSystem(url: URL): boolean {
  return (
    isPlainCloud(url) && !isBuiltInPage(url) && systemNameSchema.safeParse(url.hostname).success
  )
}

/** The key of the system whose page this is, or null. Under no other name is a system shown. */
function systemOf(url: URL): string | null {
  return isPlainCloud(url) && keySchema.safeParse(url.hostname).success ? url.hostname : null
}

/** A web address without a name and password in it, which only serve to hide its real host. */
function isWeb(url: URL): boolean {
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:'
  return isHttp && url.username === '' && url.password === ''
}

/** What a view can show, or null if it can't. */
export function parseTarget(text: string): Target | null {
  const url = parse(text)
  if (url === null) return null
  if (isWeb(url)) return { kind: 'web', url: url.href }
  const system = systemOf(url)
  if (system === null) return null
  return { kind: 'system', system, url: url.href }
}

/** The origin of a page of ours; for schemes that the URL standard does not know, too. */
export function originOf(text: string): string | null {
  const url = parse(text)
  return url === null ? null : `${url.protocol}//${url.host}`
}

/** The one origin that this owner's pages have; null for the web, which has many. */
export function ownOrigin(owner: PageOwner): string | null {
  if (owner.kind === 'web') return null
  return owner.kind === 'shell' ? SHELL_ORIGIN : `cloud://${owner.system}`
}

/** `dharma:invite/…`: the shell shows where it leads, and joins nothing by itself. */
function isInvitation(url: URL): boolean {
  return url.protocol === 'dharma:' && isInvitationLink(url.href)
}

/** The shell's own origin is no page of the cloud: nothing leads there. */
function mayHandOver(url: URL): boolean {
  if (originOf(url.href) === SHELL_ORIGIN) return false
  return isInvitation(url) || isWeb(url) || isBuiltInPage(url) || namesSystem(url)
}

/**
 * May the page, or a frame in it, go to this address?
 * @param gesture  has the person just clicked or typed in this page?
 */
export function decideNavigation(
  owner: PageOwner,
  text: string,
  { mainFrame, gesture }: { mainFrame: boolean; gesture: boolean },
): Decision {
  const url = parse(text)
  if (url === null) return 'deny'
  if (!mainFrame) {
    if (owner.kind === 'web') return isWeb(url) || isInlineFrame(url) ? 'allow' : 'deny'
    return originOf(text) === ownOrigin(owner) ? 'allow' : 'deny'
  }
  // Its own page again, as after a reload; nothing else ever takes the shell's place.
  if (owner.kind === 'shell') return originOf(text) === SHELL_ORIGIN ? 'allow' : 'deny'
  if (owner.kind === 'web') {
    if (isWeb(url)) return 'allow'
    return gesture && mayHandOver(url) ? 'hand-over' : 'deny'
  }
  if (systemOf(url) === owner.system) return 'allow'
  return gesture && mayHandOver(url) ? 'hand-over' : 'deny'
}

/** Frames that take their content from the page itself, and have no more rights than it. */
function isInlineFrame(url: URL): boolean {
  return ['about:', 'blob:', 'data:'].includes(url.protocol)
}

/** May the page open this in a new tab? It never gets a window of its own. */
export function decideWindowOpen(
  owner: PageOwner,
  text: string,
  { gesture }: { gesture: boolean },
): Exclude<Decision, 'allow'> {
  const url = parse(text)
  if (url === null || !mayHandOver(url)) return 'deny'
  return owner.kind === 'shell' || gesture ? 'hand-over' : 'deny'
}

/** Is this host the own machine? */
function isLocalHost(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(host)
  )
}

/** How the connection to the page at this address is secured. */
export function securityOf(text: string): 'secure' | 'insecure' | 'local' | 'cloud' {
  const url = parse(text)
  if (url === null) return 'insecure'
  if (url.protocol === 'cloud:') return 'cloud'
  if (isLocalHost(url.hostname)) return 'local'
  return url.protocol === 'https:' ? 'secure' : 'insecure'
}

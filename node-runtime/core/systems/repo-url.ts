// What a person types as the address of a repository, and what is fetched. It reads much as
// `canonical-origin.ts` does (forges, ssh, spaces) and shares nothing with it on purpose: that one is
// frozen, since systems are named by what it gives, while what may be typed here grows with the forges
// that there are and the ways of fetching.
import { CloudError } from '../../contract/errors.ts'
import { canonicalOrigin } from './canonical-origin.ts'

/** Hosts whose repositories all have the form owner/name, so that `.git` can be left out. */
const FORGES = new Set(['github.com', 'gitlab.com', 'codeberg.org', 'bitbucket.org'])

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i
const HOST = /^([a-z0-9-]+\.)+[a-z0-9-]+(:\d+)?$/i
const SCHEME = /^([a-z][a-z0-9+.-]*):(?!\d)/i
/** `user@host:path`, the short form of ssh addresses. */
const SCP_LIKE = /^[^/@\s]+@[^/:\s]+:/
/** Of the account under which forges serve everybody's repositories, over `https:` as well. */
const SHARED_SSH = /^(?:ssh:\/\/git@([^/:@\s]+)(?::22)?\/|git@([^/:@\s]+):(?!\/\/)\/?)(.+)$/i
// eslint-disable-next-line no-control-regex
const SPACE_OR_CONTROL = /[\s\u0000-\u001f\u007f\\]/

const EXAMPLE = 'Write it like github.com/owner/name, https://host/path.git or file:///folder.'

function invalid(reason: string): CloudError {
  // The address stays out of the details: it may hold a password.
  return new CloudError('REPO_URL_INVALID', `${reason} ${EXAMPLE}`)
}

function noSsh(): CloudError {
  return invalid(
    'Repositories are read over https, not over ssh with an account or a port of its own.',
  )
}

/**
 * The full address of a repository: `github.com/a/b` becomes `https://github.com/a/b.git`,
 * `host/path.git` becomes `https://host/path.git` (`http:` on this very machine), and so do
 * `git@host:path.git` and `ssh://git@host/path.git`, since they name the same repository.
 * Addresses of the `http:`, `https:` and `file:` kind are checked and put into one form.
 * @throws CloudError REPO_URL_INVALID
 */
export function completeRepoUrl(text: string): string {
  const typed = text.trim()
  if (typed === '') throw invalid('The address is empty.')
  if (SPACE_OR_CONTROL.test(typed)) {
    throw invalid('The address has a space, a backslash or a control character in it.')
  }
  const shared = SHARED_SSH.exec(typed)
  if (shared !== null) {
    const [, host = '', scpHost = '', path = ''] = shared
    return checkUrl(completeShorthand(`${host}${scpHost}/${path}`))
  }
  if (SCP_LIKE.test(typed) && !typed.includes('://')) throw noSsh()
  const scheme = LOOPBACK_HOST.test(typed.split('/')[0] ?? '') ? undefined : SCHEME.exec(typed)?.[1]
  if (scheme === undefined) return checkUrl(completeShorthand(typed))
  switch (scheme.toLowerCase()) {
    case 'http':
    case 'https':
    case 'file':
      return checkUrl(typed)
    case 'ssh':
      throw noSsh()
    case 'git':
    case 'hyper':
      throw invalid(`Addresses of the ${scheme.toLowerCase()}: kind are not supported yet.`)
    default:
      throw invalid(`Addresses of the ${scheme.toLowerCase()}: kind are not repositories.`)
  }
}

function completeShorthand(typed: string): string {
  const [host = '', ...segments] = typed.replace(/\/+$/, '').split('/')
  const path = segments.join('/')
  if (LOOPBACK_HOST.test(host) && path !== '') return `http://${host}/${path}`
  if (!HOST.test(host) || path === '') throw invalid('This is not the address of a repository.')
  if (/\.git(\/|$)/.test(path)) return `https://${host}/${path}`
  if (FORGES.has(host.toLowerCase()) && segments.length >= 2) return `https://${host}/${path}.git`
  throw invalid('The address of a repository on this host ends in ".git".')
}

function checkUrl(typed: string): string {
  if (!URL.canParse(typed)) throw invalid('This is not an address.')
  const url = new URL(typed)
  if (url.username !== '' || url.password !== '') {
    throw invalid('An address with a user name or password in it is not accepted.')
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid('The address of a repository has no "?" or "#" in it.')
  }
  if (url.protocol === 'file:' && url.host !== '') {
    throw invalid('A folder on another machine can not be read; file:// needs a third slash.')
  }
  const path = url.pathname.replace(/\/+$/, '')
  if (path === '') throw invalid('The address names a host, but no repository on it.')
  if (/%(00|2f|5c)/i.test(path)) throw invalid('The address has an encoded slash in it.')
  url.pathname = path
  // What lies there is known by its address: one that is not a name for sure can't be installed.
  const origin = canonicalOrigin(url.href)
  if (origin === null) throw invalid('The address can not be read.')
  // On this computer a folder with such a name may lie around a repository; reading it will tell.
  if (origin.path !== '' && url.protocol !== 'file:') {
    throw invalid(
      'A system is a whole repository: a folder in one can not be installed. Leave out what follows ".git".',
    )
  }
  return url.href
}

// The one form of a repository's address. What a system is called in records hangs on it, so however
// a person writes the address, all machines must come to the same text: its vectors are frozen.

/** Where a system comes from, if no key of its publisher says so. */
export interface CanonicalOrigin {
  /** The repository, such as `https://host.example/owner/name`, without `.git` and `#ref`. */
  origin: string
  /** The folder in the repository, as in `….git/folder`; empty for its root. */
  path: string
}

/**
 * Hosts that do not tell upper from lower case in the names of owners and repositories. The list is
 * part of the frozen form: a host that came later would move the systems on it.
 */
const CASELESS_HOSTS = new Set(['github.com', 'gitlab.com', 'codeberg.org', 'bitbucket.org'])

const SSH_PORT = 22
/** The account under which forges serve everybody's repositories; any other is a person's own. */
const SHARED_ACCOUNT = 'git'

/** What login names are made of; anything else would need an encoding of its own. */
const ACCOUNT = /^[\w.~-]+$/

const SCP_LIKE = /^([^/@:\s]+)@(\[[0-9a-f:.]+\]|[^/@:\s]+):(?!\/\/)(.*)$/i
const SSH = /^ssh:\/\/(?:([^/@:\s]*)@)?([^/@:\s]+|\[[0-9a-f:.]+\])(?::(\d*))?(\/.*)?$/i
const WEB = /^(https?):\/\/([^/@\s]+)(\/.*)?$/i
const FILE = /^file:(?:\/\/(?:localhost)?)?(\/(?!\/).*)$/i
// eslint-disable-next-line no-control-regex
const SPACE_OR_CONTROL = /[\s\u0000-\u001f\u007f\\]/
// eslint-disable-next-line no-control-regex
const UNSAFE_IN_SEGMENT = /[/\\\u0000-\u001f\u007f]/

/**
 * The canonical form of a complete address (`https:`, `http:`, `ssh:`, `git@host:path` or `file:`);
 * null for anything else. Applied to an origin that it gave, it gives the same again.
 *
 * `https:` and the shared account of `ssh:` are one origin, since the same host answers for both;
 * `http:` is another one, because anybody on the way can answer for it.
 */
export function canonicalOrigin(address: string): CanonicalOrigin | null {
  const [text = ''] = address.trim().split('#')
  if (SPACE_OR_CONTROL.test(text) || text.includes('?')) return null
  const file = FILE.exec(text)
  if (file !== null) return place('file://', 'localhost', file[1] ?? '')
  const web = WEB.exec(text)
  if (web !== null) {
    const [, scheme = '', host = '', path = ''] = web
    return place(`${scheme.toLowerCase()}://`, host, path)
  }
  const ssh = SSH.exec(text)
  if (ssh !== null) {
    const [, user = '', host = '', port = '', path = ''] = ssh
    return placeSsh(user, host, port, path)
  }
  const scp = SCP_LIKE.exec(text)
  if (scp === null) return null
  const [, user = '', host = '', path = ''] = scp
  // Without a slash in front the path begins at the account's home.
  const isAtHome = user !== SHARED_ACCOUNT && !/^[/~]/.test(path)
  return placeSsh(user, host, '', isAtHome ? `/~/${path}` : `/${path.replace(/^\//, '')}`)
}

function placeSsh(user: string, host: string, port: string, path: string): CanonicalOrigin | null {
  if (user !== '' && !ACCOUNT.test(user)) return null
  const isDefaultPort = port === '' || Number(port) === SSH_PORT
  if (user === SHARED_ACCOUNT && isDefaultPort) return place('https://', host, path)
  const account = user === '' ? '' : `${user}@`
  const at = isDefaultPort ? '' : `:${Number(port)}`
  return place(`ssh://${account}`, host, path, at)
}

/**
 * @param prefix  scheme and account
 * @param at      the port where the URL standard does not know the scheme's own
 */
function place(prefix: string, host: string, path: string, at = ''): CanonicalOrigin | null {
  // The standard's parser for the host's case, its Punycode, default ports and dot segments.
  const scheme = prefix === 'http://' ? 'http' : 'https'
  const text = `${scheme}://${host}${path}`
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  const hostname = url.hostname.replace(/\.+$/, '')
  if (hostname === '') return null
  const segments = segmentsOf(url.pathname, CASELESS_HOSTS.has(hostname))
  if (segments === null) return null
  const found = splitAtRepository(segments)
  if (found === null) return null
  const port = url.port === '' ? '' : `:${url.port}`
  const authority = prefix === 'file://' ? '' : `${hostname}${port}${at}`
  return {
    origin: `${prefix}${authority}/${found.repository.join('/')}`,
    path: found.path.join('/'),
  }
}

/** Each encoded in one way; null if one of them can't be the name of a folder. */
function segmentsOf(pathname: string, caseless: boolean): string[] | null {
  try {
    const names = pathname
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent)
    if (names.some((name) => name === '.' || name === '..' || UNSAFE_IN_SEGMENT.test(name))) {
      return null
    }
    return names.map((name) => encodeURIComponent(caseless ? name.toLowerCase() : name))
  } catch {
    // A malformed percent sequence, or half of a character.
    return null
  }
}

/** `.git` ends the repository's part, be it the end of a name or the folder of a work tree. */
function splitAtRepository(segments: string[]): { repository: string[]; path: string[] } | null {
  const end = segments.findIndex((segment) => segment.endsWith('.git'))
  const repository = end === -1 ? segments : segments.slice(0, end)
  const name = segments[end]?.replace(/(\.git)+$/, '') ?? ''
  if (name === '.' || name === '..') return null
  if (name !== '') repository.push(name)
  if (repository.length === 0) return null
  return { repository, path: end === -1 ? [] : segments.slice(end + 1) }
}

// What a person types as the address of a look-up list, and how what lies there is read and written.
import { CloudError } from '../../contract/errors.ts'
import { completeRepoUrl } from '../systems/repo-url.ts'

/** More than any public place needs. */
export const MAX_LIST_URL_CHARS = 1_000

/** Where a list lies. `url` names it; one place has one. */
export type ListPlace =
  /** A git repository over smart HTTP. */
  | { kind: 'git'; url: string }
  /** Files over HTTP, in the folder `url`, which ends in a slash. Nobody can write there. */
  | { kind: 'files'; url: string }
  /** A folder of this computer: a git repository, or plain files. */
  | { kind: 'file'; url: string }
  /** A git repository over ssh, with the keys and settings that ssh has on this computer. */
  | { kind: 'ssh'; url: string; host: string; port: number | null; path: string }

/** The file by which a list is known, in the folder that its address names. */
export const HEAD_FILE = 'dharma-list'

// A name that begins with "-" the program would take for an option.
const SSH =
  /^ssh:\/\/(?:([\w.~][\w.~-]*)@)?([a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(\/.+)$/i
/** `user@host:path`. */
const SCP_LIKE = /^([\w.~][\w.~-]*)@([a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\]):(?!\/\/)(.+)$/i
const FORGE_REPOSITORY =
  /^https?:\/\/(github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)\/[^/]+\/[^/]+\/?$/i
// eslint-disable-next-line no-control-regex
const SPACE_OR_CONTROL = /[\s\u0000-\u001f\u007f\\]/
const MAX_PORT = 65_535

function invalid(reason: string): CloudError {
  // The address stays out of the details: it may hold a password.
  return new CloudError(
    'LIST_URL_INVALID',
    `${reason} Write it like https://host/list.git, git@host:owner/list.git, file:///folder, or ` +
      'https://host/folder/ for files on a web server.',
  )
}

/** @throws CloudError LIST_URL_INVALID */
export function parseListAddress(text: string): ListPlace {
  const typed = text.trim()
  if (typed === '') throw invalid('The address is empty.')
  if (typed.length > MAX_LIST_URL_CHARS) throw invalid('The address is too long.')
  if (SPACE_OR_CONTROL.test(typed)) {
    throw invalid('The address has a space, a backslash or a control character in it.')
  }
  const ssh = readSsh(typed)
  if (ssh !== null) return ssh
  if (/^https?:/i.test(typed) && !isRepository(typed)) return readFolder(typed)
  try {
    const url = completeRepoUrl(typed)
    return url.startsWith('file:') ? { kind: 'file', url } : { kind: 'git', url }
  } catch {
    throw invalid('This is not the address of a list.')
  }
}

function isRepository(typed: string): boolean {
  return /\.git\/?$/.test(typed) || FORGE_REPOSITORY.test(typed)
}

function readSsh(typed: string): ListPlace | null {
  const scp = typed.includes('://') ? null : SCP_LIKE.exec(typed)
  const [, user, host = '', port, path = ''] =
    scp === null ? (SSH.exec(typed) ?? []) : [scp[0], scp[1], scp[2], undefined, scp[3]]
  if (path === '') {
    if (/^ssh:/i.test(typed)) throw invalid('This is not an address for ssh.')
    return null
  }
  // Programs on the other side would take it for an option.
  if (path.startsWith('-')) throw invalid('The path of an ssh address does not begin with "-".')
  if (Number(port ?? 1) > MAX_PORT || Number(port ?? 1) < 1) {
    throw invalid('A port is a number from 1 to 65535.')
  }
  const name = host.toLowerCase()
  const account = user === undefined ? name : `${user}@${name}`
  return {
    kind: 'ssh',
    url:
      scp === null
        ? `ssh://${account}${port === undefined ? '' : `:${Number(port)}`}${path}`
        : `${account}:${path}`,
    host: account.replace(/[[\]]/g, ''),
    port: port === undefined ? null : Number(port),
    path,
  }
}

function readFolder(typed: string): ListPlace {
  if (!URL.canParse(typed)) throw invalid('This is not an address.')
  const url = new URL(typed)
  if (url.username !== '' || url.password !== '') {
    throw invalid('An address with a user name or password in it is not accepted.')
  }
  if (url.search !== '' || url.hash !== '') {
    throw invalid('The address of a list has no "?" or "#" in it.')
  }
  const path = url.pathname.replace(new RegExp(`/${HEAD_FILE}$`), '').replace(/\/+$/, '')
  url.pathname = `${path}/`
  return { kind: 'files', url: url.href }
}

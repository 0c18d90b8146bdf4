// Git's protocol over a program's pipes, in the shape of its smart HTTP: for repositories of this computer and
// over ssh. The pack is made and read by the same library, within the same limits, as over the web.
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { GitHttpRequest, GitHttpResponse } from 'isomorphic-git'
import type { CloudError } from '../../../contract/errors.ts'
import type { ListPlace } from '../../../core/finding/list-address.ts'
import { unreachable } from '../../systems/git-http.ts'
import type { GitHttp } from '../../systems/git-http.ts'
import { createTransferGuard } from '../../systems/transfer-guard.ts'
import type { TransferLimits } from '../../systems/transfer-guard.ts'

/** The git library wants an address of the web; nothing is ever sent there. */
export const PIPE_URL = 'http://pipe.invalid/repository'

type Service = 'git-upload-pack' | 'git-receive-pack'
export type PipedPlace = Extract<ListPlace, { kind: 'file' | 'ssh' }>

/** What programs say when they fail is shown so far. */
const MAX_COMPLAINT_CHARS = 400
const FLUSH = '0000'

/** A client for one fetch or push. Close it when done. */
export function createGitPipe(place: PipedPlace, limits: TransferLimits): GitHttp {
  const { url } = place
  const guard = createTransferGuard(
    limits,
    (why) => unreachable(url, 'timeout', why),
    (error) => brokenPipe(url, error),
  )
  let program: Program | null = null

  async function begin(service: Service): Promise<Buffer> {
    program?.end()
    const begun = startProgram(place, service)
    program = begun
    guard.signal.addEventListener('abort', () => begun.end())
    const header = packetLine(`# service=${service}\n`)
    const advert = await readAdvert(begun)
    return Buffer.concat([Buffer.from(header + FLUSH), advert])
  }

  /** All references, and no byte of what comes after them. */
  async function readAdvert(from: Program): Promise<Buffer> {
    let held = Buffer.alloc(0)
    let at = 0
    for (;;) {
      while (held.length - at >= 4) {
        const length = Number.parseInt(held.toString('latin1', at, at + 4), 16)
        if (length === 0) {
          from.unread(held.subarray(at + 4))
          return held.subarray(0, at + 4)
        }
        if (!(length >= 4)) throw guard.fail(unreachable(url, 'protocol', 'it speaks no git'))
        if (held.length - at < length) break
        at += length
      }
      const chunk = await guard.beforeSilence(from.read())
      if (chunk === null) throw guard.fail(unreachable(url, 'refused', await from.complaint()))
      guard.received(chunk.length)
      held = Buffer.concat([held, chunk])
    }
  }

  async function* answer(from: Program): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = await guard.beforeSilence(from.read())
      if (chunk === null) return
      guard.received(chunk.length)
      yield chunk
    }
  }

  return {
    retryAfterS: null,
    get failure() {
      return guard.failure
    },
    expired: guard.expired,
    close: () => guard.close(),
    async request({ url: target, method = 'GET', body }: GitHttpRequest): Promise<GitHttpResponse> {
      const service: Service = target.endsWith('receive-pack')
        ? 'git-receive-pack'
        : 'git-upload-pack'
      const head = { url: target, method, statusCode: 200, statusMessage: 'OK' }
      if (method === 'GET') {
        const headers = { 'content-type': `application/x-${service}-advertisement` }
        const advert = await begin(service)
        return { ...head, headers, body: once(advert) }
      }
      if (program === null) throw new Error('nothing was asked first')
      for await (const chunk of body ?? []) program.write(chunk)
      program.finish()
      return { ...head, headers: {}, body: answer(program) }
    },
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function packetLine(text: string): string {
  return (text.length + 4).toString(16).padStart(4, '0') + text
}

interface Program {
  /** Null at the end. */
  read(): Promise<Buffer | null>
  unread(bytes: Buffer): void
  write(bytes: Uint8Array): void
  /** Nothing more will be written. */
  finish(): void
  /** What it said of why it ended; for people, ends a sentence. */
  complaint(): Promise<string>
  end(): void
}

function startProgram(place: PipedPlace, service: Service): Program {
  const child = place.kind === 'ssh' ? startSsh(place, service) : startGit(place.url, service)
  const chunks = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let said = ''
  let failed: Error | null = null
  let held: Buffer | null = null
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length < MAX_COMPLAINT_CHARS) said += chunk.toString('utf8')
  })
  const closed = new Promise<void>((resolve) => {
    child.on('close', () => resolve())
    child.on('error', (error) => {
      failed = error
      resolve()
    })
  })
  // It may end before it has read all; what it answered says why.
  child.stdin.on('error', () => undefined)
  return {
    async read() {
      if (held !== null && held.length > 0) {
        const bytes = held
        held = null
        return bytes
      }
      const next = await chunks.next()
      if (next.done !== true) return next.value
      await closed
      if (failed !== null) throw failed
      return null
    },
    unread: (bytes) => void (held = bytes),
    write: (bytes) => void child.stdin.write(bytes),
    finish: () => void child.stdin.end(),
    async complaint() {
      await closed
      const words = said.trim().replace(/\s+/g, ' ').slice(0, MAX_COMPLAINT_CHARS)
      return words === '' ? 'the program at the other end said nothing' : `it was said: “${words}”`
    },
    end: () => void child.kill(),
  }
}

/** Nobody is there to answer questions. */
const QUIET = { GIT_TERMINAL_PROMPT: '0' }

function startGit(url: string, service: Service): ChildProcessWithoutNullStreams {
  // What a caller within another repository has set is not meant for this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE)$/.test(name)),
  )
  return spawn('git', [service.slice('git-'.length), fileURLToPath(url)], {
    env: { ...env, ...QUIET },
  })
}

function startSsh(
  { host, port, path }: Extract<ListPlace, { kind: 'ssh' }>,
  service: Service,
): ChildProcessWithoutNullStreams {
  const asked = `${service} '${path.replaceAll("'", String.raw`'\''`)}'`
  const args = [...(port === null ? [] : ['-p', String(port)]), host, asked]
  const env = { ...process.env, ...QUIET }
  const own = process.env['GIT_SSH_COMMAND']
  // As git itself runs it: the variable is a command of the shell.
  if (own !== undefined && own !== '')
    return spawn('sh', ['-c', `${own} "$@"`, own, ...args], { env })
  return spawn('ssh', ['-o', 'BatchMode=yes', ...args], { env })
}

function brokenPipe(url: string, error: unknown): CloudError {
  const { code, path } = error as { code?: unknown; path?: unknown }
  if (code === 'ENOENT') {
    return unreachable(url, 'no-program', `the program ${String(path)} is not on this computer`)
  }
  const text = error instanceof Error ? error.message : String(error)
  return unreachable(url, 'protocol', `the program at the other end failed (${text})`)
}

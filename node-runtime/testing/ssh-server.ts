// A real sshd on this computer, at a free port of 127.0.0.1, for one key. It runs what it is told as this very user.
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find((path) =>
  existsSync(path),
)

/** Why there can be none here; null if there can. */
export const noSshServer = SSHD === undefined ? 'there is no sshd on this computer' : null

export class SshServer {
  readonly #folder: string
  readonly #daemon: ChildProcess
  readonly #port: number

  private constructor(folder: string, daemon: ChildProcess, port: number) {
    this.#folder = folder
    this.#daemon = daemon
    this.#port = port
  }

  /** Listens when the promise resolves. */
  static async start(): Promise<SshServer> {
    if (SSHD === undefined) throw new Error('no sshd')
    const folder = await mkdtemp(join(tmpdir(), 'dharma-ssh-'))
    for (const name of ['host', 'user']) {
      const args = ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]
      execFileSync('ssh-keygen', args)
    }
    // As the package of the system does at its start; without it sshd does not run as root.
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
    const port = await freePort()
    const config = [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'user.pub')}`,
      'StrictModes no',
      'UsePAM no',
      'PidFile none',
      'PasswordAuthentication no',
      '',
    ].join('\n')
    await writeFile(join(folder, 'config'), config)
    const hostKey = await readFile(join(folder, 'host.pub'), 'utf8')
    await writeFile(join(folder, 'known'), `[127.0.0.1]:${port} ${hostKey}`)
    const daemon = spawn(SSHD, ['-D', '-e', '-f', join(folder, 'config')])
    await listening(daemon)
    return new SshServer(folder, daemon, port)
  }

  /** The command by which git and others come in. @param known  has the server's key been seen before? */
  command({ known = true } = {}): string {
    const hosts = join(this.#folder, known ? 'known' : 'nobody')
    const options = ['BatchMode=yes', 'IdentitiesOnly=yes', `UserKnownHostsFile=${hosts}`]
    return `ssh -F none -i ${join(this.#folder, 'user')} ${options.map((one) => `-o ${one}`).join(' ')}`
  }

  urlOf(path: string): string {
    return `ssh://${userInfo().username}@127.0.0.1:${this.#port}${path}`
  }

  async close(): Promise<void> {
    this.#daemon.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function listening(daemon: ChildProcess): Promise<void> {
  let said = ''
  return new Promise((resolve, reject) => {
    daemon.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('listening on')) resolve()
    })
    daemon.on('error', reject)
    daemon.on('close', () => reject(new Error(`sshd ended: ${said}`)))
  })
}

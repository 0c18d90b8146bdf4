// By which machines hear of releases that the cloud's key took back: all that are known when a link opens, and what is
// new by broadcast.
import * as z from 'zod'
import { MAX_REVOKED, RevokedReleases } from '../../core/admission/revoked-releases.ts'
import type { CloudKeys } from '../../core/admission/release-form.ts'
import { signedFormSchema } from '../../core/forms/signed-form.ts'
import type { SignedForm } from '../../core/forms/signed-form.ts'
import { readJson } from '../../core/json-text.ts'
import type { Log } from '../../ports/log.ts'
import { jsonCodec } from '../../swarm/codec.ts'
import type { Network, PeerInfo, Protocol } from '../../swarm/network.ts'
import { PeerFault } from '../../swarm/peer-fault.ts'
import type { Broadcasts } from './broadcasts.ts'

export { MAX_REVOKED }

const REVOCATIONS_PER_MESSAGE = 64
/** A revocation takes 500. */
const MAX_MESSAGE_BYTES = 128_000
/** What could not be kept is tried again no more often than this: a disk that is full stays so for minutes. */
const KEEP_AGAIN_MS = 30_000

const messageSchema = z.object({
  revocations: z.array(signedFormSchema).max(REVOCATIONS_PER_MESSAGE),
})
type Message = z.infer<typeof messageSchema>

interface NewsOptions {
  /** Of the cloud; null while nobody can tell whose word counts, because this machine has not heard how it began. */
  keys: () => CloudKeys | null
  /** Resolves once they are on the disk. */
  keep: (all: SignedForm[]) => Promise<void>
  /** More are known than when this was called last, and are kept. */
  grew: () => void
  /** Monotonic. */
  nowMs: () => number
  log: Log
}

export class RevokedReleaseNews {
  readonly #options: NewsOptions
  readonly #revocations = new RevokedReleases()
  #protocol: Protocol<Message> | null = null
  #broadcasts: Broadcasts | null = null
  #tellAll: ((body: string) => void) | null = null
  /** Did it fail to keep what is known, and is that not tried again just now? It is once somebody tells of it again. */
  #isUnkept = false
  #keepAgainMs = -Infinity
  /** So many were known when it was last said that more are. */
  #grownTo = 0

  constructor(options: NewsOptions) {
    this.#options = options
  }

  /** By their public keys. */
  get releases(): ReadonlySet<string> {
    return this.#revocations.releases
  }

  attach(network: Network, broadcasts: Broadcasts): void {
    this.#broadcasts = broadcasts
    this.#tellAll = broadcasts.open('revoked-release', (body) => this.#heard(body))
    const protocol = network.openProtocol<Message>({
      name: 'dharma/revoked-releases/1',
      codec: jsonCodec(messageSchema, MAX_MESSAGE_BYTES),
      opened: ({ machine }) => this.#tell(protocol, machine, this.#revocations.forms),
      received: (peer, { revocations }) => this.#hear(peer, revocations),
    })
    this.#protocol = protocol
  }

  /** Takes one in that was kept, or that is this machine's own word. */
  take(form: SignedForm, keys: CloudKeys): ReturnType<RevokedReleases['add']> {
    return this.#revocations.add(form, keys)
  }

  /** Has the others hear of one that is this machine's own word. Resolves once it is kept. */
  tell(form: SignedForm): Promise<void> {
    return this.#came([form], null)
  }

  close(): void {
    this.#protocol?.close()
  }

  /** What all are told. True if it holds. */
  #heard(body: string): boolean {
    const keys = this.#options.keys()
    const form = readJson(body, signedFormSchema)
    if (form === null || JSON.stringify(form) !== body || keys === null) return false
    const came = this.take(form, keys)
    if (came === 'new') this.#note([form], 'all')
    else if (came === 'known') this.#keepAgain()
    return came === 'new' || came === 'known'
  }

  #hear(peer: PeerInfo, forms: readonly SignedForm[]): void {
    const keys = this.#options.keys()
    // It is told again with the next link.
    if (keys === null) return
    const news: SignedForm[] = []
    let isForged = false
    let isKnown = false
    for (const form of forms) {
      const came = this.take(form, keys)
      if (came === 'new') news.push(form)
      isKnown ||= came === 'known'
      isForged = came === 'forged'
      if (isForged) break
    }
    // What came before a forged one holds: who lies with true words beside them keeps those from nobody.
    if (news.length > 0) this.#note(news, peer.machine)
    else if (isKnown) this.#keepAgain()
    if (isForged) throw new PeerFault('it told of a revocation that is forged')
  }

  #keepAgain(): void {
    const nowMs = this.#options.nowMs()
    if (!this.#isUnkept || nowMs < this.#keepAgainMs) return
    this.#isUnkept = false
    this.#keepAgainMs = nowMs + KEEP_AGAIN_MS
    this.#note([], 'all')
  }

  #note(news: readonly SignedForm[], from: string): void {
    this.#came(news, from).catch((error: unknown) => {
      this.#options.log.error('revoked releases could not be written down', { error })
    })
  }

  /** @param from  a machine that told it, or `all` if it was told to all; null if it is this one's own */
  async #came(news: readonly SignedForm[], from: string | null): Promise<void> {
    if (from !== 'all') for (const form of news) this.#tellAll?.(JSON.stringify(form))
    const protocol = this.#protocol
    if (protocol !== null) {
      for (const { machine } of protocol.peers()) {
        const hears = machine === from || this.#broadcasts?.reaches(machine) === true
        if (!hears) this.#tell(protocol, machine, news)
      }
    }
    try {
      await this.#options.keep(this.#revocations.forms)
      this.#isUnkept = false
    } catch (error) {
      this.#isUnkept = true
      throw error
    }
    const { size } = this.releases
    if (size <= this.#grownTo) return
    this.#grownTo = size
    this.#options.grew()
  }

  #tell(protocol: Protocol<Message>, machine: string, forms: readonly SignedForm[]): void {
    for (let at = 0; at < forms.length; at += REVOCATIONS_PER_MESSAGE) {
      protocol.send(machine, { revocations: forms.slice(at, at + REVOCATIONS_PER_MESSAGE) })
    }
  }
}

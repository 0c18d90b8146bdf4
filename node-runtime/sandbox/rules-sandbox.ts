// The rules pool in the form that sessions knew before there were bundles. It goes when they have moved.
import { CloudError } from '../contract/errors.ts'
import type { SessionDescriptor } from '../contract/sessions.ts'
import type { Json } from '../contract/values.ts'
import type { Position, RulesRunner as ChainRunner } from '../core/sessions/session-chain.ts'
import { SerialQueue } from '../flow/serial-queue.ts'
import type { PlayAnswer, RulesRunner, ViewAnswer } from '../ports/rules.ts'
import { bundleRules } from './rules-bundle.ts'
import type { RulesSource } from './rules-bundle.ts'
import { RulesPool } from './rules-pool.ts'

let shared: RulesPool | null = null

function failed(reason: string): CloudError {
  return new CloudError('RULES_FAILED', `The rules of this session failed: ${reason}.`, { reason })
}

/** One rules module in its sandbox. */
export class RulesSandbox implements ChainRunner {
  readonly #source: RulesSource
  readonly #pool: RulesPool
  readonly #loads = new SerialQueue()
  #runner: RulesRunner | null = null

  constructor(source: RulesSource, pool: RulesPool = (shared ??= new RulesPool())) {
    this.#source = source
    this.#pool = pool
  }

  /** Reads the module and its imports, and checks that it exports the rules' functions. */
  async load(): Promise<void> {
    await this.#loaded()
  }

  async start({ seed, options, seats }: SessionDescriptor): Promise<Position> {
    const runner = await this.#loaded()
    return position(await runner.start({ seed, options, seats: seats.length, viewer: 'spectator' }))
  }

  async advance(
    { seats }: SessionDescriptor,
    state: Json,
    seat: number,
    action: Json,
  ): Promise<Position> {
    const runner = await this.#loaded()
    const question = { state, seat, action, seats: seats.length, viewer: 'spectator' as const }
    return position(await runner.play(question))
  }

  async view(state: Json, viewer: number | 'spectator'): Promise<Json> {
    const answer: ViewAnswer = await (await this.#loaded()).view({ state, viewer })
    if (answer.kind === 'ok') return answer.view
    throw failed(answer.reason)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #loaded(): Promise<RulesRunner> {
    return this.#loads.run(async () => {
      this.#runner ??= this.#pool.runner(await bundleRules(this.#source, this.#pool))
      return this.#runner
    })
  }
}

function position(answer: PlayAnswer): Position {
  if (answer.kind === 'illegal') throw failed('the action is not legal')
  if (answer.kind !== 'ok') throw failed(answer.reason)
  const { state, outcome, legal } = answer
  return { state, outcome, legal }
}

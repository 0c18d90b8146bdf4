// A cloud of session machines for each test of a file, made before it and gone after it.
import { afterEach, beforeEach } from 'vitest'
import type { MemoryRecords } from './memory-records.ts'
import { SessionCloud } from './session-machines.ts'
import type { MachineOptions, SessionMachine } from './session-machines.ts'

/** Machines that are busy close slowly. */
const CLOSE_LIMIT_MS = 20_000

/** The cloud of the test that runs. Called once in a file, outside of tests. */
export function eachSessionCloud(): Cloud {
  const cloud = new Cloud()
  beforeEach(() => cloud.begin())
  afterEach(() => cloud.end(), CLOSE_LIMIT_MS)
  return cloud
}

class Cloud {
  #current: SessionCloud | null = null

  /** The records of all persons. */
  get records(): MemoryRecords {
    return this.#now.records
  }

  /** Its key. */
  get cloud(): string {
    return this.#now.cloud
  }

  /** A machine with a new data folder, or the one of an earlier machine. */
  start(options: MachineOptions = {}): Promise<SessionMachine> {
    return this.#now.start(options)
  }

  async begin(): Promise<void> {
    this.#current = await SessionCloud.create()
  }

  async end(): Promise<void> {
    await this.#current?.close()
    this.#current = null
  }

  get #now(): SessionCloud {
    if (this.#current === null) throw new Error('no test runs')
    return this.#current
  }
}

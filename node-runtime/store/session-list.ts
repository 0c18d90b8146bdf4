// What the logs of sessions have to remember beside themselves: which logs belong to which session, and
// blocks that may not be on the disk yet as far as the engine of the logs is concerned.
import type { Log } from '../ports/log.ts'
import { SmallLevel } from './small-level.ts'

const SEPARATOR = '\u0000'
const AFTER_SEPARATOR = '\u0001'
const INDEX_DIGITS = 8

function range(...parts: string[]): { gte: string; lt: string } {
  const base = parts.join(SEPARATOR)
  return { gte: base + SEPARATOR, lt: base + AFTER_SEPARATOR }
}

export class SessionList {
  readonly #level: SmallLevel<string>

  private constructor(level: SmallLevel<string>) {
    this.#level = level
  }

  /**
   * A list that is damaged begins anew, and vouches for no log that was in it.
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  static async open(folder: string, log: Log): Promise<SessionList> {
    return new SessionList(await SmallLevel.open(folder, 'utf8', log))
  }

  /** @param log  its key */
  async enter(session: string, log: string): Promise<void> {
    await this.#level.write((level) => level.put(rowKey('log', session, log), ''))
  }

  /** From now on, what is written to this own log and is not in it is here. On the disk when it resolves. */
  async enterOwn(session: string, log: string): Promise<void> {
    await this.#level.write((level) => level.put(rowKey('log', session, log), '', { sync: true }))
  }

  /** Has all that was ever written to an own log and is not in it been kept here? */
  async vouchesFor(session: string, log: string): Promise<boolean> {
    const rows = [rowKey('log', session, log), rowKey('lost', session, log)]
    const [entered, lost] = await this.#level.read((level) => level.getMany(rows))
    return entered !== undefined && lost === undefined
  }

  /** It never vouches for this log again. */
  async giveUp(session: string, log: string): Promise<void> {
    await this.#level.write((level) => level.put(rowKey('lost', session, log), '', { sync: true }))
  }

  async logsOf(session: string): Promise<string[]> {
    const keys = await this.#level.read((level) => level.keys(range('log', session)).all())
    return keys.map((key) => key.split(SEPARATOR)[2] ?? '')
  }

  /**
   * Keeps blocks of an own log, all or none; on the disk when it resolves.
   * @throws CloudError DISK_FULL, DISK_FAILED
   */
  async keepBlocks(log: string, begin: number, texts: readonly string[]): Promise<void> {
    const changes = texts.map((value, at) => ({
      type: 'put' as const,
      key: blockKey(log, begin + at),
      value,
    }))
    await this.#level.write((level) => level.batch(changes, { sync: true }))
  }

  /** The blocks kept of a log, in order. */
  async keptBlocks(log: string): Promise<{ index: number; text: string }[]> {
    const entries = await this.#level.read((level) => level.iterator(range('block', log)).all())
    return entries.map(([key, text]) => ({
      index: Number.parseInt(key.split(SEPARATOR)[2] ?? '', 16),
      text,
    }))
  }

  /** Those below `end` are on the disk elsewhere. */
  async dropBlocks(log: string, end: number): Promise<void> {
    const { gte } = range('block', log)
    await this.#level.write((level) => level.clear({ gte, lt: blockKey(log, end) }))
  }

  async remove(session: string, log: string): Promise<void> {
    await this.#level.write((level) => level.clear(range('block', log)))
    const rows = [rowKey('log', session, log), rowKey('lost', session, log)]
    await this.#level.write((level) => level.batch(rows.map((key) => ({ type: 'del', key }))))
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}

function rowKey(kind: 'log' | 'lost', session: string, log: string): string {
  return [kind, session, log].join(SEPARATOR)
}

function blockKey(log: string, index: number): string {
  return ['block', log, index.toString(16).padStart(INDEX_DIGITS, '0')].join(SEPARATOR)
}

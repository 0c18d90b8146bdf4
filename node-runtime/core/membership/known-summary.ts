// What a machine knows of the cloud, in short: two that are linked anew tell each other only what the other lacks. The
// machines are in parts by their names; of each part first its hash is told, and where those differ, names and sequences.
import { domainBytes, hash, toHex } from '../keys.ts'
import { MAX_KNOWN } from './known-machines.ts'

/** By the first letter of a name, which has 32. */
export const PARTS = 32
const LETTERS = 'ybndrfg8ejkmcpqxot1uwisza345h769'
/** Of a hash, as hex. With 128 bits nobody finds two sequences of its own that make parts equal which are not. */
export const DIGEST_CHARS = 32
/** Names in one message: all that a machine can know, so that one part fits however many of it somebody invents. */
export const MAX_NAMED = MAX_KNOWN + 1

/** A machine, and the sequence of its entry. */
export type Named = readonly [machine: string, sequence: number]

/** Some parts, and all that is known of them. */
export interface NamedParts {
  parts: readonly number[]
  known: readonly Named[]
}

export class KnownSummary {
  readonly #parts: Named[][] = Array.from({ length: PARTS }, () => [])
  /** By part; the least name first. */
  readonly digests: readonly string[]

  constructor(known: Iterable<Named>) {
    for (const named of known) this.#parts[partOf(named[0])]!.push(named)
    this.digests = this.#parts.map((part) => {
      const lines = part.sort(([a], [b]) => (a < b ? -1 : 1)).map((named) => named.join(' '))
      return toHex(hash(domainBytes('dharma/known/1', lines.join('\n')))).slice(0, DIGEST_CHARS)
    })
  }

  /** What is here of those parts of which the other side has something else, in messages. */
  differing(theirs: readonly string[]): NamedParts[] {
    const messages: { parts: number[]; known: Named[] }[] = []
    this.#parts.forEach((named, part) => {
      if (theirs[part] === this.digests[part]) return
      const last = messages.at(-1)
      if (last === undefined || last.known.length + named.length > MAX_NAMED) {
        messages.push({ parts: [part], known: [...named] })
      } else {
        last.parts.push(part)
        last.known.push(...named)
      }
    })
    return messages
  }

  /** Who is here in these parts, and is newer than what the other side has, or not there. */
  lackedBy({ parts, known }: NamedParts): string[] {
    const theirs = new Map(known)
    return [...new Set(parts)]
      .flatMap((part) => this.#parts[part] ?? [])
      .filter(([machine, sequence]) => (theirs.get(machine) ?? -1) < sequence)
      .map(([machine]) => machine)
  }
}

function partOf(machine: string): number {
  return Math.max(0, LETTERS.indexOf(machine.charAt(0)))
}

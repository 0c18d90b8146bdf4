// What several commands take, and how it is read.
import { resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { defaultDataDir } from '../../host/default-data-dir.ts'

export const DAY_MS = 86_400_000
const MAX_TIME_MS = 36_500 * DAY_MS
export const DATA_HELP = 'data folder of the machine (default: $DHARMA_DATA, else the usual place)'
export const JSON_HELP = 'print one line of JSON for programs'

export interface DataOption {
  data?: string
}

export function dataDirOf({ data }: DataOption): string {
  return data === undefined ? defaultDataDir() : resolve(data)
}

/** Ms. */
export function parseTime(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  const timeMs = Number(amount) * ({ m: 60_000, h: 3_600_000, d: DAY_MS }[unit] ?? Number.NaN)
  if (timeMs >= 60_000 && timeMs <= MAX_TIME_MS) return timeMs
  throw new InvalidArgumentError('A time is such as 30m, 1h or 7d, at most 36500d.')
}

// What a process has used of this computer, as the kernel counts it.
import { readFile } from 'node:fs/promises'
import { MissingPart } from './report.ts'

/** The kernel counts in hundredths of a second, on all that we run on. */
const TICK_MS = 10
/** Behind the name, which may hold anything: user and system time are fields 14 and 15 of the file. */
const USER_FIELD = 11
const KIB = 1024

/** @throws MissingPart where the kernel has no such files */
async function readProcess(pid: number, file: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    throw new MissingPart('only Linux tells what a process uses')
  }
}

/** Time on a core since it started, all threads together, in ms. */
export async function cpuMs(pid: number): Promise<number> {
  const text = await readProcess(pid, 'stat')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[USER_FIELD]) + Number(fields[USER_FIELD + 1])) * TICK_MS
}

/** What it holds in memory, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const text = await readProcess(pid, 'status')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) * KIB
}

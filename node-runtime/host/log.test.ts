import * as fs from 'node:fs'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LogFile } from './log-file.ts'
import type { LogDisk } from './log-file.ts'
import { createLog } from './log.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dharma-log-'))
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

const realDisk: LogDisk = fs

/** The real disk, with so many bytes left; and any call of it that fails on request. */
function createDisk() {
  const state = { leftBytes: Infinity, broken: '' }
  const fail = (code: string): never => {
    throw Object.assign(new Error(code), { code })
  }
  const guarded = Object.fromEntries(
    Object.entries(realDisk).map(([name, call]) => [
      name,
      (...args: unknown[]): unknown => {
        if (state.broken === name) return fail('EIO')
        return (call as (...args: unknown[]) => unknown)(...args)
      },
    ]),
  ) as unknown as LogDisk
  const disk = {
    ...guarded,
    writeSync(descriptor: number, bytes: Uint8Array, offset: number) {
      if (state.leftBytes === 0) return fail('ENOSPC')
      const end = Math.min(bytes.length, offset + state.leftBytes)
      const part = bytes.subarray(offset, end)
      const written = guarded.writeSync(descriptor, part, 0)
      state.leftBytes -= written
      return written
    },
  } as LogDisk
  return { state, disk }
}

const pathOf = (): string => join(folder, 'log', 'runtime.log')
const linesOf = (path = pathOf()): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')

describe('the log', () => {
  test('holds what happened, with stacks, for the owner of the folder only', () => {
    const log = createLog(folder)
    log.info('ready', { pid: 7 })
    log.error('failed', { error: new Error('why') })
    const [first, second] = linesOf().map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(first).toMatchObject({ msg: 'ready', pid: 7 })
    expect(second).toMatchObject({ msg: 'failed', error: { message: 'why' } })
    expect(JSON.stringify(second)).toContain('log.test.ts')
    expect(statSync(pathOf()).mode & 0o777).toBe(0o600)
    expect(process.stderr.write).toHaveBeenCalledTimes(1)
  })

  test('survives a full disk, and says how many lines it lost', () => {
    const { state, disk } = createDisk()
    const log = createLog(folder, disk)
    log.info('before')
    state.leftBytes = 10
    for (let n = 0; n < 3; n++) expect(() => log.error('disk full', { n })).not.toThrow()
    state.leftBytes = Infinity
    log.info('after')
    const lines = linesOf()
    const parsed = [lines[0], lines[2], lines[3]].map((line) => JSON.parse(line!) as unknown)
    expect(parsed).toMatchObject([
      { msg: 'before' },
      { msg: 'lines of this log were lost', count: 3 },
      { msg: 'after' },
    ])
  })

  test.each(['mkdirSync', 'openSync', 'fstatSync', 'renameSync', 'closeSync'])(
    'survives a disk whose %s fails',
    (name) => {
      const { state, disk } = createDisk()
      state.broken = name
      const log = createLog(folder, disk)
      expect(() => log.error('something')).not.toThrow()
      state.broken = ''
      expect(() => log.error('something else')).not.toThrow()
      expect(linesOf().at(-1)).toContain('something else')
    },
  )

  test('takes fields that can not be written', () => {
    const log = createLog(folder)
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    log.error('a circle', { circle })
    log.error('a number', { big: 2n ** 70n })
    const trap = {
      get field(): never {
        throw new Error('trap')
      },
    }
    expect(() => log.error('a trap', { trap })).not.toThrow()
    expect(linesOf().map((line) => line.includes('a trap'))).toContain(true)
  })

  test('cuts lines that are longer than any that is read', () => {
    createLog(folder).info('long', { text: 'x'.repeat(1_000_000) })
    expect(statSync(pathOf()).size).toBeLessThan(100_000)
    expect(linesOf()).toHaveLength(1)
    expect(JSON.parse(linesOf()[0]!)).toHaveProperty('cut')
  })
})

describe('the file of the log', () => {
  test('never grows beyond its limit, however long it is written to', () => {
    const path = join(folder, 'log', 'lines')
    const file = new LogFile({ path, maxBytes: 1000, describeLost: String })
    for (let n = 0; n < 500; n++) file.write(`line ${n}\n`)
    expect(statSync(path).size).toBeLessThanOrEqual(1010)
    expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(1010)
    expect(linesOf(path).at(-1)).toBe('line 499')
    const [aside, now] = [linesOf(`${path}.1`), linesOf(path)]
    expect(Number(now[0]!.slice(5))).toBe(Number(aside.at(-1)!.slice(5)) + 1)
  })

  test('goes on in the file that is there', () => {
    const path = join(folder, 'log', 'lines')
    const options = { path, maxBytes: 20, describeLost: String }
    new LogFile(options).write('a line of 17 bytes\n')
    const again = new LogFile(options)
    again.write('second\n')
    again.write('third\n')
    expect(linesOf(`${path}.1`)).toEqual(['a line of 17 bytes', 'second'])
    expect(linesOf(path)).toEqual(['third'])
  })

  test('a write that takes nothing is a failed one, not an endless one', () => {
    const path = join(folder, 'log', 'lines')
    const disk = { ...realDisk, writeSync: () => 0 }
    const file = new LogFile({ path, maxBytes: 1000, describeLost: String, disk })
    expect(() => file.write('line\n')).not.toThrow()
  })
})

// A file of lines that never throws and never grows beyond its limit. A disk that is full or broken must
// not end the machine, least of all through the line that was to say so.
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** What the file needs of the disk; handed in by tests. */
export interface LogDisk {
  mkdirSync: typeof mkdirSync
  openSync: typeof openSync
  fstatSync: typeof fstatSync
  writeSync: typeof writeSync
  renameSync: typeof renameSync
  closeSync: typeof closeSync
}

export interface LogFileOptions {
  path: string
  /** A file larger than this is put aside as `<path>.1`; the one put aside before goes. */
  maxBytes: number
  /** A line that tells how many were lost, once lines can be written again. */
  describeLost: (count: number) => string
  disk?: LogDisk
}

const REAL_DISK: LogDisk = { mkdirSync, openSync, fstatSync, writeSync, renameSync, closeSync }
const PRIVATE_FOLDER = 0o700
const PRIVATE_FILE = 0o600

export class LogFile {
  readonly #options: LogFileOptions
  readonly #disk: LogDisk
  #file: { descriptor: number; sizeBytes: number } | null = null
  #lostLines = 0
  /** The last line was cut off by the disk: the next must not go on in it. */
  #isCut = false

  /** The file is opened with the first line. */
  constructor(options: LogFileOptions) {
    this.#options = options
    this.#disk = options.disk ?? REAL_DISK
  }

  /** Adds a line, which ends with a line break. What the disk does not take is counted and lost. */
  write(line: string): void {
    try {
      this.#putAsideIfLarge()
      this.#append((this.#isCut ? '\n' : '') + this.#lostNote() + line)
      this.#lostLines = 0
      this.#isCut = false
    } catch {
      // There is nowhere left to say it: it is counted, and said once the disk takes lines again.
      this.#lostLines++
      this.#close()
    }
  }

  #lostNote(): string {
    return this.#lostLines === 0 ? '' : this.#options.describeLost(this.#lostLines)
  }

  #append(text: string): void {
    const file = (this.#file ??= this.#open())
    const bytes = Buffer.from(text)
    for (let offset = 0; offset < bytes.length; ) {
      // Synchronous, so that the last lines before a crash are there.
      const written = this.#disk.writeSync(file.descriptor, bytes, offset)
      if (written === 0) throw new Error('the disk takes nothing')
      offset += written
      file.sizeBytes += written
      this.#isCut = offset < bytes.length
    }
  }

  #open(): { descriptor: number; sizeBytes: number } {
    const { path } = this.#options
    this.#makeFolder(dirname(path))
    const descriptor = this.#disk.openSync(path, 'a', PRIVATE_FILE)
    return { descriptor, sizeBytes: this.#disk.fstatSync(descriptor).size }
  }

  /** This one alone: the folder that it lies in is made by who takes it, and is told what is wrong. */
  #makeFolder(path: string): void {
    try {
      this.#disk.mkdirSync(path, { mode: PRIVATE_FOLDER })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }

  #putAsideIfLarge(): void {
    const { path, maxBytes } = this.#options
    this.#file ??= this.#open()
    if (this.#file.sizeBytes <= maxBytes) return
    this.#close()
    this.#disk.renameSync(path, `${path}.1`)
    this.#isCut = false
  }

  #close(): void {
    const file = this.#file
    this.#file = null
    try {
      if (file !== null) this.#disk.closeSync(file.descriptor)
    } catch {
      // Closed or not, it is not written to any more.
    }
  }
}

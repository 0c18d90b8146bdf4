// The notes that the database is measured with, and how they are written and read over the socket of a
// machine, as its owner's programs do it.
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Connection } from '../../node-runtime/host/running-machine.ts'
import { within } from './patience.ts'
import { COLLECTION } from './system-page.ts'

/** Of the value. */
export const NOTE_BYTES = 100
const FRAME = JSON.stringify({ text: '' }).length

export interface Notes extends Connection {
  system: string
}

export function noteId(number: number): string {
  return `note-${String(number).padStart(7, '0')}`
}

export function placeOf({ system }: Notes): { system: string; collection: string } {
  return { system, collection: COLLECTION }
}

export function noteOf(number: number): { text: string } {
  return { text: String(number).padEnd(NOTE_BYTES - FRAME, ' a note') }
}

export async function putNote(notes: Notes, number: number): Promise<void> {
  await notes.client.db.put({ ...placeOf(notes), id: noteId(number), value: noteOf(number) })
}

/** Puts `count` notes from number `first` on, always so many at once. */
export async function putMany(
  notes: Notes,
  first: number,
  count: number,
  inFlight: number,
): Promise<void> {
  let next = first
  const one = async (): Promise<void> => {
    while (next < first + count) await putNote(notes, next++)
  }
  await Promise.all(Array.from({ length: inFlight }, one))
}

/** The events of a watch, told as they come; resolves when it has begun. */
export async function watchNotes(
  notes: Notes,
  onChange: (id: string) => void,
): Promise<() => void> {
  const stopping = new AbortController()
  const changes = await notes.client.db.watch(placeOf(notes), { signal: stopping.signal })
  await new Promise<void>((begun, failed) => {
    const listen = async (): Promise<void> => {
      for await (const change of changes) {
        if ('ready' in change) begun()
        else onChange(change.id)
      }
    }
    listen().catch((error: unknown) => {
      if (!stopping.signal.aborted) failed(error as Error)
    })
  })
  return () => stopping.abort()
}

/** How long a query that finds nothing takes, which has to look at every note. */
export async function queryNothing(notes: Notes): Promise<void> {
  const query = notes.client.db.query({ ...placeOf(notes), where: { text: 'no such text' } })
  const { records } = await within(query, 'a query answers')
  if (records.length > 0) throw new Error('the query found something')
}

/** The bytes of a signed record: what was signed, the signature, and whose it is. */
export async function signedBytes(notes: Notes, number: number): Promise<number> {
  const address = { ...placeOf(notes), id: noteId(number) }
  const { record } = await notes.client.db.get({ ...address, proof: true })
  if (record?.proof === undefined) throw new Error(`there is no note ${number}`)
  const { body, signatures } = record.proof
  const seals = signatures.reduce(
    (sum, { attestation, signature }) => sum + (attestation.length + signature.length) / 2,
    0,
  )
  return Buffer.byteLength(body) + seals
}

/** What the files of a folder, with all in it, take. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      // A database may remove a file meanwhile.
      const found = await stat(path.join(parentPath, name)).catch(() => null)
      return found?.size ?? 0
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

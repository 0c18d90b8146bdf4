// A small system in a real git repository behind a real server, for tests.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { serveRepository } from '../../e2e/support/git-server.ts'
import type { GitServer } from '../../e2e/support/git-server.ts'

export const NOTES_ID = 'org.example.notes'

/** The manifest of the system, as it is written. */
export const notesManifest = {
  manifestVersion: 1,
  id: NOTES_ID,
  name: 'Notes',
  version: '1.0.0',
  description: 'Notes that stay.',
  icon: 'art/icon.svg',
  ui: 'ui/index.html',
  permissions: ['db', 'identity'],
  collections: {
    notes: {
      schema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
      write: 'author',
    },
    results: { schema: {}, write: 'author' },
  },
  sessions: { duel: { rules: 'rules/duel.ts', seats: 2, results: 'results' } },
}

/** Its files by path. */
export const notesFiles: Record<string, string> = {
  'dharma.json': JSON.stringify(notesManifest),
  'ui/index.html': '<!doctype html><script type="module" src="/main.ts"></script>',
  'ui/main.ts': 'export const answer: number = 42\n',
  'ui/broken.ts': 'enum Colour { Red }\n',
  'ui/style.css': 'body { margin: 0 }',
  'ui/pages/about.html': '<!doctype html>about',
  'ui/ümläut file.txt': 'found',
  'rules/duel.ts': 'export const init = (seed: string) => ({ seed })\n',
  'art/icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'secret.txt': 'outside the web root',
}

/** Writes files into a new temporary folder. */
export async function makeFolder(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dharma-test-'))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

/** Serves the system as `notes`, and more repositories by name. */
export async function serveNotes(
  others: Record<string, Record<string, string>> = {},
): Promise<GitServer> {
  const folders: Record<string, string> = {}
  for (const [name, files] of Object.entries({ notes: notesFiles, ...others })) {
    folders[name] = await makeFolder(files)
  }
  const server = await serveRepository(folders)
  await Promise.all(Object.values(folders).map((folder) => rm(folder, { recursive: true })))
  return server
}

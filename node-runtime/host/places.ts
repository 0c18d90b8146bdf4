// Where the built parts are that the daemon needs, seen from its bundle and from its source alike.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
/** From `dist/node-runtime/` or from `node-runtime/host/`: both are two below the root. */
const root = join(here, '..', '..')
const bundled = join(here, '..')
const dist = existsSync(join(bundled, 'sdk')) ? bundled : join(root, 'dist')

export const SHELL_DIR = join(dist, 'renderer')
export const SDK_DIR = join(dist, 'sdk')
/** What a build of a cloud's owner carries to come into it; other builds have none. */
export const RELEASE_FILE = join(dist, 'release.json')
/** Look-up lists that it carries, with who may write to them; other builds have none. */
export const LISTS_FILE = join(dist, 'lists.json')
/** The systems that come with Dharma. */
export const EXTENSIONS_DIR = join(root, 'extensions')
/** The folder that Electron opens as its app. */
export const APP_DIR = root

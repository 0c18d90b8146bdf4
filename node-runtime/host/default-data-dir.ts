// Where a machine keeps its data when nothing else was said. The window and the daemon share it.
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

interface Surroundings {
  platform: NodeJS.Platform
  env: NodeJS.ProcessEnv
  home: string
}

/**
 * The data folder when none is named: `DHARMA_DATA`, else the place where the platform keeps the data
 * of applications.
 */
export function defaultDataDir({ platform, env, home }: Surroundings = here()): string {
  if (env['DHARMA_DATA']) return resolve(env['DHARMA_DATA'])
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'Dharma')
  if (platform === 'win32')
    return join(env['APPDATA'] || join(home, 'AppData', 'Roaming'), 'Dharma')
  return join(env['XDG_DATA_HOME'] || join(home, '.local', 'share'), 'dharma')
}

function here(): Surroundings {
  return { platform: process.platform, env: process.env, home: homedir() }
}

import { expect, test } from 'vitest'
import { defaultDataDir } from './default-data-dir.ts'

test('the data folder is where the platform keeps such things', () => {
  const home = '/home/ada'
  const at = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv = {}): string =>
    defaultDataDir({ platform, env, home })
  expect(at('linux')).toBe('/home/ada/.local/share/dharma')
  expect(at('linux', { XDG_DATA_HOME: '/data' })).toBe('/data/dharma')
  expect(at('darwin')).toBe('/home/ada/Library/Application Support/Dharma')
  expect(at('win32', { APPDATA: '/roaming' })).toBe('/roaming/Dharma')
  expect(at('linux', { DHARMA_DATA: '/elsewhere', XDG_DATA_HOME: '/data' })).toBe('/elsewhere')
})

import { expect, test } from 'vitest'
import { isOlderVersion } from './system-version.ts'

/** Oldest first. Source: Semantic Versioning 2.0.0, item 11. */
const ORDER = [
  '1.0.0-1',
  '1.0.0--1',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.10',
  '1.0.0-beta.11',
  '1.0.0-beta.1a',
  '1.0.0-beta.1b',
  '1.0.0-beta.a1',
  '1.0.0-beta.a2',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.9',
  '1.0.10',
  '1.2.0',
  '2.0.0',
  '10.0.0',
]

test('versions have the order of Semantic Versioning', () => {
  for (const [at, version] of ORDER.entries()) {
    for (const [against, other] of ORDER.entries()) {
      expect(isOlderVersion(version, other), `${version} < ${other}`).toBe(at < against)
    }
  }
})

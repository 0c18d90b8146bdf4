import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalOrigin } from './canonical-origin.ts'
import vectors from './fixtures/canonical-origins.json' with { type: 'json' }

test.each(vectors.origins)('%s is %s, folder "%s"', (address, origin, path) => {
  expect(canonicalOrigin(address ?? '')).toEqual({ origin, path })
  expect(canonicalOrigin(origin ?? '')).toEqual({ origin, path: '' })
})

test.each(vectors.refused)('"%s" is no address of a repository', (address) => {
  expect(canonicalOrigin(address)).toBeNull()
})

/** Addresses with all that tempts a parser, and now and then any text at all. */
const SEGMENT = fc.oneof(
  fc.constantFrom('a', 'A', '.git', 'b.git', 'b.GIT', '..', '.', '~', '%2e', '%2F', '%7e', '%', ''),
  fc.string({ maxLength: 6 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const ADDRESS = fc
  .tuple(
    fc.constantFrom(
      'https://',
      'http://',
      'HTTPS://',
      'ssh://',
      'ssh://git@',
      'git@',
      'file://',
      '',
    ),
    fc.constantFrom(
      'github.com',
      'Host.Example',
      'host.example.',
      '[::1]',
      '0x7f.1',
      'ü.example',
      '',
    ),
    fc.constantFrom('', ':443', ':80', ':22', ':022', ':8443', ':', ':99999'),
    fc.array(SEGMENT, { maxLength: 5 }),
    fc.constantFrom('', '/', '.git', '.git/', '.git#main', '.git/a/b', '#', '?x'),
  )
  .map(([scheme, host, port, path, end]) => `${scheme}${host}${port}/${path.join('/')}${end}`)

test('the form of a form is itself, and no text makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(ADDRESS, fc.string({ unit: 'binary' })), (address) => {
      const found = canonicalOrigin(address)
      if (found === null) return
      expect(canonicalOrigin(found.origin)).toEqual({ origin: found.origin, path: '' })
      // The parts are joined by line ends where they are hashed.
      expect(found.origin + found.path).toMatch(/^[\x21-\x7e]+$/)
    }),
    { seed: 20_261_124, numRuns: 5000 },
  )
})

test('however it is written, an address with its folder keeps both', () => {
  const segments = fc.array(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,8}$/), {
    minLength: 1,
    maxLength: 3,
  })
  fc.assert(
    fc.property(segments, segments, (repository, folder) => {
      const origin = `https://host.example/${repository.join('/')}`
      const path = folder.join('/')
      for (const end of [path, `${path}/`, `${path}#main`]) {
        expect(canonicalOrigin(`${origin}.git/${end}`)).toEqual({ origin, path })
      }
    }),
  )
})

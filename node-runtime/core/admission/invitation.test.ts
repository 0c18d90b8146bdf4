import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import z32 from 'z32'
import { readJoinText } from '../../contract/join-text.ts'
import { keyOf } from '../../testing/entries.ts'
import { encodeKey, hash } from '../keys.ts'
import {
  MAX_INVITATIONS,
  stateOf,
  useInvitation,
  withExpired,
  withInvitation,
} from './guest-book.ts'
import type { Invitation } from './guest-book.ts'
import { decodeInvitation, encodeInvitation, meetingKeys, proveInvitation } from './invitation.ts'

const seed = new Uint8Array(16).fill(7)
const addresses = [
  { host: '192.0.2.1', port: 4000 },
  { host: '10.0.0.255', port: 65_535 },
]

describe('a link', () => {
  it('holds the secret, and where to ask first', () => {
    for (let count = 0; count <= addresses.length; count++) {
      const secret = { seed, addresses: addresses.slice(0, count) }
      expect(decodeInvitation(encodeInvitation(secret))).toEqual(secret)
    }
    const many = Array.from({ length: 9 }, () => addresses[0]!)
    expect(decodeInvitation(encodeInvitation({ seed, addresses: many }))?.addresses).toHaveLength(3)
  })

  it('with a wrong letter, or not whole, is none', () => {
    const text = encodeInvitation({ seed, addresses })
    for (let at = 0; at < text.length; at++) {
      const wrong = text[at] === 'y' ? 'b' : 'y'
      const changed = text.slice(0, at) + wrong + text.slice(at + 1)
      const read = decodeInvitation(changed)
      // Two bytes tell: one wrong letter in 65,536 goes by, and none of these.
      expect(read, changed).toBeNull()
      expect(decodeInvitation(text.slice(0, at))).toBeNull()
    }
    expect(decodeInvitation(`${text}y`)).toBeNull()
  })

  it('of a later form is none', () => {
    const linkOf = (form: number): string => {
      const content = Buffer.concat([Buffer.of(form), seed])
      return z32.encode(Buffer.concat([content, Buffer.from(hash(content).subarray(0, 2))]))
    }
    expect(decodeInvitation(linkOf(1))).toEqual({ seed, addresses: [] })
    expect(decodeInvitation(linkOf(2))).toBeNull()
  })

  it('leads to no port 0', () => {
    const nowhere = { host: '192.0.2.2', port: 0 }
    const first = { host: '192.0.2.3', port: 1 }
    const text = encodeInvitation({ seed, addresses: [nowhere, first] })
    expect(decodeInvitation(text)?.addresses).toEqual([first])
  })

  it('never throws, whatever is read as one', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void decodeInvitation(text)))
    const letters = fc.constantFrom(...'ybndrfg8ejkmcpqxot1uwisza345h769'.split(''))
    fc.assert(
      fc.property(
        fc.string({ unit: letters, maxLength: 90 }),
        (text) => void decodeInvitation(text),
      ),
    )
  })

  it('leads to a key, by which only who has the secret can prove it', () => {
    const { publicKey } = meetingKeys(seed)
    expect(encodeKey(meetingKeys(new Uint8Array(16).fill(8)).publicKey)).not.toBe(
      encodeKey(publicKey),
    )
    const ends = { handshakeHash: Buffer.alloc(64, 1), machine: keyOf('guest') }
    const proof = proveInvitation(seed, ends)
    expect(proveInvitation(seed, ends)).toBe(proof)
    for (const other of [
      proveInvitation(new Uint8Array(16).fill(8), ends),
      proveInvitation(seed, { ...ends, handshakeHash: Buffer.alloc(64, 2) }),
      proveInvitation(seed, { ...ends, machine: keyOf('another') }),
    ]) {
      expect(other).not.toBe(proof)
    }
  })
})

describe('what is put in to join', () => {
  const invitation = encodeInvitation({ seed, addresses })

  it('is a key, a link or a code, however it is pasted', () => {
    const cloud = keyOf('a cloud')
    expect(readJoinText(` ${cloud}\n`)).toEqual({ kind: 'cloud', cloud })
    for (const link of [
      `dharma:invite/${invitation}`,
      `dharma://invite/${invitation}`,
      `cloud://invite/${invitation}`,
      ` dharma:invite/${invitation.slice(0, 20)}\n${invitation.slice(20)} `,
      `https://example.org/join.html#dharma-invite=${invitation}`,
    ]) {
      expect(readJoinText(link), link).toEqual({ kind: 'link', invitation })
    }
    const words = 'able ocean quick table zebra'
    for (const code of [words, words.replaceAll(' ', '-'), ` Able  ocean\nquick TABLE zebra `]) {
      expect(readJoinText(code), code).toEqual({ kind: 'code', words })
    }
  })

  it('or is said to be none', () => {
    expect(readJoinText('able ocean quick')).toEqual({
      fault: 'The code of an invitation has 5 words; this has 3.',
    })
    for (const text of ['', 'x', `http://example.org/#dharma-invite=${invitation}`]) {
      expect(readJoinText(text)).toHaveProperty('fault')
    }
  })
})

describe('an invitation', () => {
  const invitation: Invitation = {
    id: '1',
    seed: '07'.repeat(16),
    code: '',
    uses: 2,
    createdMs: 0,
    expiresMs: 1_000,
    withdrawn: false,
    expired: false,
    admitted: [],
  }
  const use = (one: Invitation, person: string, nowMs = 999) => useInvitation(one, person, nowMs)
  const used = (...persons: string[]): Invitation => ({ ...invitation, admitted: persons })

  it('lets in as many persons as it was made for, each as often as they ask', () => {
    expect(use(invitation, 'a')).toEqual({ invitation: used('a') })
    expect(use(used('a'), 'a')).toEqual({ invitation: used('a') })
    expect(use(used('a'), 'b')).toEqual({ invitation: used('a', 'b') })
    expect(use(used('a', 'b'), 'a')).toEqual({ invitation: used('a', 'b') })
    expect(use(used('a', 'b'), 'c')).toEqual({ fault: 'used-up' })
  })

  it('lets in nobody once it has expired or was withdrawn', () => {
    expect(stateOf(invitation, 999)).toBe('open')
    expect(stateOf(invitation, 1_000)).toBe('expired')
    expect(use(invitation, 'a', 1_000)).toEqual({ fault: 'expired' })
    expect(use(used('a'), 'a', 1_000)).toEqual({ fault: 'expired' })
    // Nor does a clock that is set back change that.
    const [expired] = withExpired([invitation], 1_000)!
    expect(stateOf(expired!, 1)).toBe('expired')
    expect(withExpired([expired!], 1_000)).toBeNull()
    expect(withExpired([invitation], 999)).toBeNull()
    const withdrawn = { ...used('a', 'b'), withdrawn: true }
    expect(use(withdrawn, 'a')).toEqual({ fault: 'withdrawn' })
    expect(use({ ...invitation, withdrawn: true }, 'a')).toEqual({ fault: 'withdrawn' })
  })

  it('takes the place of the oldest that holds no more', () => {
    const full = Array.from({ length: MAX_INVITATIONS }, (_, at) => ({
      ...invitation,
      id: `${at}`,
    }))
    const next = { ...invitation, id: 'next' }
    expect(withInvitation([], next, 0)).toEqual([next])
    expect(withInvitation(full, next, 0)).toBeNull()
    full[5] = { ...full[5]!, withdrawn: true }
    full[9] = { ...full[9]!, withdrawn: true }
    const book = withInvitation(full, next, 0)
    expect(book).toHaveLength(MAX_INVITATIONS)
    expect(book?.map(({ id }) => id)).not.toContain('5')
    expect(book?.at(-1)).toBe(next)
  })
})

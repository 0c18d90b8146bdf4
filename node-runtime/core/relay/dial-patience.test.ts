import { describe, expect, it } from 'vitest'
import { ATTEMPT_MS, DialPatience, DIRECT_MS, RELAY_MS } from './dial-patience.ts'

/** Relays that are there, and with which machines each has failed. */
class Relays {
  readonly keys: string[]
  readonly failures: string[] = []
  readonly patience = new DialPatience({
    failed: (relayKey, machine) => this.failures.push(`${relayKey} ${machine}`),
    hasFresh: (machine) => this.keys.some((key) => !this.failures.includes(`${key} ${machine}`)),
  })

  constructor(...keys: string[]) {
    this.keys = keys
  }
}

describe('patience with a dial', () => {
  it('one that began without a relay is given up for the first, once a direct link would be there', () => {
    const relays = new Relays()
    const { patience } = relays
    patience.began('dial', 'ben', false, 0)
    expect(patience.nextMs(0)).toBe(DIRECT_MS)
    expect(patience.look(DIRECT_MS)).toEqual([])
    expect(patience.nextMs(DIRECT_MS)).toBe(ATTEMPT_MS)
    relays.keys.push('relay')
    expect(patience.look(DIRECT_MS + 500)).toEqual([{ id: 'dial', isForNext: true }])
    expect(patience.size).toBe(0)
    patience.began('dial', 'ben', false, 0)
    expect(patience.look(DIRECT_MS - 1)).toEqual([])
  })

  it('one that names a relay waits for the machine’s answer, for as long as anything can come of it', () => {
    const { patience } = new Relays('relay', 'other')
    patience.began('dial', 'ben', true, 0)
    expect(patience.nextMs(0)).toBe(ATTEMPT_MS)
    expect(patience.look(ATTEMPT_MS - 1)).toEqual([])
    expect(patience.look(ATTEMPT_MS)).toEqual([{ id: 'dial', isForNext: false }])
    expect(patience.size).toBe(0)
  })

  it('nobody waits without an end, whatever a relay does; then the machine is not dialled at once', () => {
    const { patience } = new Relays('bad')
    patience.began('dial', 'ben', true, 0)
    patience.asked('dial', 'ben', 'bad', 100)
    expect(patience.nextMs(100)).toBe(100 + RELAY_MS)
    expect(patience.look(100 + RELAY_MS)).toEqual([])
    expect(patience.nextMs(100 + RELAY_MS)).toBe(ATTEMPT_MS)
    expect(patience.look(ATTEMPT_MS)).toEqual([{ id: 'dial', isForNext: false }])
    expect(patience.nextMs(ATTEMPT_MS)).toBe(null)
  })

  it('a relay that does not bring two together has failed after a while, and the next one has its turn', () => {
    const { patience, failures } = new Relays('bad', 'good')
    patience.began('dial', 'ben', true, 0)
    patience.asked('dial', 'ben', 'bad', 100)
    expect(patience.nextMs(100)).toBe(100 + RELAY_MS)
    expect(patience.look(99 + RELAY_MS)).toEqual([])
    expect(failures).toEqual([])
    expect(patience.look(100 + RELAY_MS)).toEqual([{ id: 'dial', isForNext: true }])
    expect(failures).toEqual(['bad ben'])
  })

  it('if it is the only one it is waited for, until there is another', () => {
    const relays = new Relays('bad')
    const { patience } = relays
    patience.began('dial', 'ben', true, 0)
    patience.asked('dial', 'ben', 'bad', 0)
    expect(patience.look(RELAY_MS)).toEqual([])
    expect(patience.look(10 * RELAY_MS)).toEqual([])
    expect(relays.failures).toEqual(['bad ben'])
    relays.keys.push('good')
    expect(patience.look(10 * RELAY_MS)).toEqual([{ id: 'dial', isForNext: true }])
  })

  it('one that refuses has failed at once', () => {
    const { patience, failures } = new Relays('full', 'good')
    patience.began('dial', 'ben', true, 0)
    patience.asked('dial', 'ben', 'full', 900)
    patience.refused('dial')
    patience.refused('another')
    expect(failures).toEqual(['full ben'])
    expect(patience.look(DIRECT_MS)).toEqual([{ id: 'dial', isForNext: true }])
  })

  it('who meets has been served, in that time; a direct link is no relay’s merit', () => {
    const { patience, failures } = new Relays('relay')
    patience.began('dial', 'ben', true, 0)
    patience.asked('dial', 'ben', 'relay', 100)
    expect(patience.met('dial', 350)).toEqual({ relayKey: 'relay', tookMs: 250 })
    patience.began('direct', 'ben', true, 0)
    expect(patience.met('direct', 350)).toBe(null)
    patience.asked('over', 'ben', 'relay', 0)
    patience.ended('over')
    expect(patience.look(10 * RELAY_MS)).toEqual([])
    expect(failures).toEqual([])
  })

  it('an attempt of the other side begins when a relay is asked, and is not this one’s to give up', () => {
    const { patience, failures } = new Relays('relay', 'another')
    patience.asked('theirs', 'ben', 'relay', 0)
    patience.began('dial', 'cleo', false, RELAY_MS)
    expect(patience.nextMs(0)).toBe(RELAY_MS)
    expect(patience.look(RELAY_MS)).toEqual([])
    expect(failures).toEqual(['relay ben'])
    expect(patience.nextMs(RELAY_MS)).toBe(RELAY_MS + DIRECT_MS)
  })

  it('an attempt of the other side ends when its relay is gone, whether that had failed before or not', () => {
    const { patience, failures } = new Relays('relay')
    patience.asked('early', 'ben', 'relay', 0)
    patience.refused('early')
    patience.asked('late', 'cleo', 'relay', 0)
    patience.look(RELAY_MS)
    patience.refused('late')
    expect(failures).toEqual(['relay ben', 'relay cleo'])
    expect(patience.size).toBe(0)
  })
})

import { describe, expect, it } from 'vitest'
import { LocalSightings, MAX_SIGHTINGS, SIGHTING_MS } from './local-sightings.ts'

const HOST = '192.168.1.20'
const names = (sightings: LocalSightings, nowMs: number): string[] =>
  sightings.live(nowMs).map(({ machine }) => machine)

describe('who named itself on the local network', () => {
  it('is there for two minutes, at the host that the packet came from', () => {
    const sightings = new LocalSightings(0)
    sightings.note({ machine: 'a', port: 1 }, HOST, 0)
    sightings.note({ machine: 'a', port: 2 }, HOST, 1_000)
    expect(sightings.live(SIGHTING_MS)).toEqual([
      { machine: 'a', address: { host: HOST, port: 2 } },
    ])
    expect(names(sightings, SIGHTING_MS + 1_000)).toEqual([])
  })

  it('goes when it says goodbye, and by nobody else’s', () => {
    const sightings = new LocalSightings(0)
    sightings.note({ machine: 'a', port: 1 }, HOST, 0)
    sightings.forget({ machine: 'a', port: 1 }, '192.168.1.66')
    sightings.forget({ machine: 'a', port: 2 }, HOST)
    sightings.forget({ machine: 'b', port: 1 }, HOST)
    expect(names(sightings, 1)).toEqual(['a'])
    sightings.forget({ machine: 'a', port: 1 }, HOST)
    expect(names(sightings, 1)).toEqual([])
  })

  it('is bounded, whatever is invented: the newest stay', () => {
    const sightings = new LocalSightings(0)
    for (let n = 0; n < 10_000; n++) sightings.note({ machine: `m${n}`, port: 1 }, HOST, n)
    const live = names(sightings, 10_000)
    expect(live).toHaveLength(MAX_SIGHTINGS)
    expect(live.at(-1)).toBe('m9999')
  })
})

describe('how much is listened to', () => {
  it('of one host: two hundred packets at once, fifty a second', () => {
    const sightings = new LocalSightings(0)
    const read = (nowMs: number): number =>
      Array.from({ length: 10_000 }).filter(() => sightings.admits(HOST, nowMs)).length
    expect(read(0)).toBe(200)
    expect(read(1_000)).toBe(50)
    // Others are heard all the same.
    expect(sightings.admits('192.168.1.21', 1_000)).toBe(true)
  })

  it('of all together: five hundred at once, two hundred a second', () => {
    const sightings = new LocalSightings(0)
    const read = (nowMs: number): number => {
      let count = 0
      for (let n = 0; n < 50_000; n++) {
        if (sightings.admits(`10.0.${n % 200}.${n % 250}`, nowMs)) count++
      }
      return count
    }
    expect(read(0)).toBe(500)
    expect(read(1_000)).toBe(200)
  })
})

import { describe, expect, it } from 'vitest'
import { Knocks, MAX_ADDRESSES, MAX_KNOCKS_PER_HOST } from './knocks.ts'

const WINDOW_MS = 10_000
const MAX_HOSTS = 256
const at = (host: string, port = 1) => ({ host, port })
/** Hosts of the internet, each another. */
const hostOf = (n: number): string => `20.0.${n >> 8}.${n & 255}`

describe('knocking', () => {
  it('is done once at one address, and again when ten seconds have passed', () => {
    const knocks = new Knocks(false)
    const ask = (nowMs: number) => knocks.take([at('20.0.0.1')], nowMs)
    expect(ask(5_000)).toEqual([at('20.0.0.1')])
    expect(ask(5_000 + WINDOW_MS - 1)).toEqual([])
    expect(ask(5_000 + WINDOW_MS)).toHaveLength(1)
  })

  it('is done few times at one host, however many ports are named', () => {
    const knocks = new Knocks(false)
    for (let port = 1; port <= MAX_KNOCKS_PER_HOST; port++) {
      expect(knocks.take([at('20.0.0.1', port)], port)).toHaveLength(1)
    }
    expect(knocks.take([at('20.0.0.1', 100)], 100)).toEqual([])
    expect(knocks.take([at('20.0.0.2', 100)], 100)).toHaveLength(1)
    // The first of them is over; there is room for one.
    expect(knocks.take([at('20.0.0.1', 100)], WINDOW_MS + 1)).toHaveLength(1)
    expect(knocks.take([at('20.0.0.1', 101)], WINDOW_MS + 1)).toEqual([])
  })

  it('is done at the first addresses of a machine only', () => {
    const many = Array.from({ length: MAX_ADDRESSES + 1 }, (_, n) => at(hostOf(n)))
    expect(new Knocks(false).take(many, 0)).toEqual(many.slice(0, MAX_ADDRESSES))
  })

  it('is done at so many hosts at most; those make room at which nothing was sent for a while', () => {
    const knocks = new Knocks(false)
    for (let n = 0; n < MAX_HOSTS; n++) expect(knocks.take([at(hostOf(n))], 0)).toHaveLength(1)
    expect(knocks.take([at('30.0.0.1')], WINDOW_MS - 1)).toEqual([])
    // A host that is known needs no more room; it was knocked at just now.
    expect(knocks.take([at(hostOf(0), 2)], WINDOW_MS - 1)).toHaveLength(1)
    expect(knocks.take([at('30.0.0.1')], WINDOW_MS)).toHaveLength(1)
    expect(knocks.take([at(hostOf(0), 2)], WINDOW_MS)).toEqual([])
    for (let n = 2; n < MAX_HOSTS; n++) {
      expect(knocks.take([at(hostOf(n), 2)], WINDOW_MS), hostOf(n)).toHaveLength(1)
    }
    expect(knocks.take([at('30.0.0.2')], WINDOW_MS)).toEqual([])
  })

  it('is done at no address of many machines, and at this computer only where the cloud is on it', () => {
    for (const host of ['0.0.0.0', '224.0.0.1', '255.255.255.255', 'host.example']) {
      expect(new Knocks(true).take([at(host)], 0), host).toEqual([])
    }
    for (const host of ['1.0.0.1', '223.255.255.255']) {
      expect(new Knocks(false).take([at(host)], 0), host).toHaveLength(1)
    }
    expect(new Knocks(true).take([at('127.0.0.1')], 0)).toHaveLength(1)
    expect(new Knocks(false).take([at('127.0.0.1')], 0)).toEqual([])
  })
})

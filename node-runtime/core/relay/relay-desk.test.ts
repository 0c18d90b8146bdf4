import { beforeEach, describe, expect, it } from 'vitest'
import {
  LINGER_MS,
  MAX_BUDGETS,
  MAX_CIRCUIT_BYTES,
  MAX_CIRCUIT_MS,
  MAX_CIRCUITS,
  MAX_CIRCUITS_PER_MACHINE,
  MAX_IDLE_MS,
  MAX_WAIT_MS,
  RelayDesk,
} from './relay-desk.ts'
import type { RelayEffect } from './relay-desk.ts'

const OPENED_MS = 1_000

let desk: RelayDesk
let nowMs: number
beforeEach(() => {
  desk = new RelayDesk()
  nowMs = OPENED_MS
})

let ends = 0
function ask(machine: string, token: string, isInitiator: boolean, end = `end${ends++}`) {
  return desk.step({ type: 'asked', end, machine, token, isInitiator }, nowMs)
}
const leave = (end: string): RelayEffect[] => desk.step({ type: 'left', end }, nowMs)
const measure = (bytes: Record<string, number> = {}): RelayEffect[] =>
  desk.step({ type: 'measured', bytes: new Map(Object.entries(bytes)) }, nowMs)

/** A circuit of two machines; its ends are `<token>-a` and `<token>-b`. */
function pair(token: string, machines: [string, string] = [`${token} a`, `${token} b`]) {
  return [
    ...ask(machines[0], token, true, `${token}-a`),
    ...ask(machines[1], token, false, `${token}-b`),
  ]
}
const reasons = (effects: readonly RelayEffect[]): string[] =>
  effects.map((effect) => (effect.type === 'pair' ? effect.type : effect.reason))

describe('who is brought together', () => {
  it('two machines that name one token, in whatever order they come', () => {
    expect(pair('t')).toEqual([{ type: 'pair', circuit: 't', ends: ['t-a', 't-b'] }])
    ask('cara', 'u', false, 'u-b')
    expect(ask('dan', 'u', true, 'u-a')).toEqual([
      { type: 'pair', circuit: 'u', ends: ['u-a', 'u-b'] },
    ])
    expect(desk.circuitCount).toBe(2)
  })

  it('it rests while nobody waits and nothing is passed on, and only then', () => {
    expect(desk.isIdle).toBe(true)
    ask('anna', 't', true)
    expect(desk.isIdle).toBe(false)
    ask('ben', 't', false)
    expect(desk.isIdle).toBe(false)
  })

  it('no machine with itself, and no two of one kind', () => {
    ask('anna', 't', true)
    expect(ask('anna', 't', false, 'same')).toEqual([
      { type: 'dismiss', end: 'same', reason: 'again' },
    ])
    expect(reasons(ask('ben', 't', true))).toEqual(['again'])
    expect(reasons(ask('ben', 't', false))).toEqual(['pair'])
  })

  it('no third, and nobody twice over one connection', () => {
    pair('t')
    expect(reasons(ask('eve', 't', true))).toEqual(['again'])
    expect(reasons(ask('t a', 'u', true, 't-a'))).toEqual(['again'])
  })

  it('who waits is sent away after a while, or forgotten when it leaves', () => {
    ask('anna', 't', true, 'first')
    ask('ben', 'u', true, 'second')
    expect(leave('second')).toEqual([])
    nowMs += MAX_WAIT_MS - 1
    expect(measure()).toEqual([])
    nowMs += 1
    expect(measure()).toEqual([{ type: 'dismiss', end: 'first', reason: 'nobody came' }])
    expect(desk.isIdle).toBe(true)
  })
})

describe('how much one machine gets', () => {
  it('so many circuits, those included for which it waits, and not one more', () => {
    for (let at = 0; at < MAX_CIRCUITS_PER_MACHINE; at++) {
      expect(reasons(ask('eve', `t${at}`, true, `e${at}`))).toEqual([])
    }
    expect(reasons(ask('eve', 'more', true))).toEqual(['too many of one machine'])
    // Others are served as before, and so is she when one of hers has gone.
    expect(reasons(pair('other'))).toEqual(['pair'])
    leave('e0')
    expect(reasons(ask('eve', 'more', true))).toEqual([])
  })

  it('whether it began them or not, once they are there, too', () => {
    for (let at = 0; at < MAX_CIRCUITS_PER_MACHINE; at++) {
      pair(`t${at}`, at % 2 === 0 ? ['eve', `other ${at}`] : [`other ${at}`, 'eve'])
    }
    expect(reasons(ask('eve', 'more', true))).toEqual(['too many of one machine'])
    expect(reasons(ask('other 0', 'more', true))).toEqual([])
    expect(reasons(ask('eve', 'more', false))).toEqual(['too many of one machine'])
  })

  it('so many in all; who completes one that waits still gets in', () => {
    for (let at = 0; at < MAX_CIRCUITS; at++) ask(`m${at}`, `t${at}`, true)
    expect(reasons(ask('late', 'new', true))).toEqual(['full'])
    expect(reasons(ask('other', 't0', false))).toEqual(['pair'])
  })

  it('so many bytes a circuit: then that one is cut, and no other', () => {
    pair('big')
    pair('small')
    nowMs += 1_000
    expect(measure({ big: MAX_CIRCUIT_BYTES, small: 100 })).toEqual([])
    nowMs += 1_000
    const effects = measure({ big: MAX_CIRCUIT_BYTES + 1, small: 200 })
    expect(effects).toEqual([{ type: 'cut', circuit: 'big', reason: 'too much' }])
    expect(desk.circuitCount).toBe(1)
  })

  it('so many bytes in all, over one circuit after the other', () => {
    for (const token of ['t', 'u']) {
      pair(token, ['eve', 'her friend'])
      expect(measure({ [token]: MAX_CIRCUIT_BYTES })).toEqual([])
      for (const end of ['a', 'b']) leave(`${token}-${end}`)
    }
    pair('v', ['eve', 'somebody new'])
    pair('w')
    expect(measure({ v: 1_000, w: 1_000 })).toEqual([
      { type: 'cut', circuit: 'v', reason: 'used up' },
    ])
    expect(reasons(ask('eve', 'x', true))).toEqual(['used up'])
    nowMs += 10_000
    expect(reasons(ask('eve', 'x', true))).toEqual([])
  })

  describe('what it used', () => {
    /** Two machines use all that they may, and have a circuit more. */
    const useUp = () => {
      for (const token of ['t', 'u']) {
        pair(token, ['eve', 'her friend'])
        measure({ [token]: MAX_CIRCUIT_BYTES })
        for (const end of ['a', 'b']) leave(`${token}-${end}`)
      }
      pair('v', ['eve', 'her friend'])
    }
    let others = 0
    const comeAndGo = (count: number) => {
      for (let at = 0; at < count; at++) {
        expect(reasons(ask(`m${others++}`, 'x', true, 'x'))).toEqual([])
        leave('x')
      }
    }

    it('is remembered until many others have come', () => {
      useUp()
      expect(reasons(measure({ v: 1 }))).toEqual(['used up'])
      comeAndGo(MAX_BUDGETS - 2)
      expect(reasons(ask('eve', 'x', true))).toEqual(['used up'])
      comeAndGo(1)
      expect(reasons(ask('her friend', 'x', true))).toEqual([])
    })

    it('and as long as it has a circuit', () => {
      useUp()
      comeAndGo(MAX_BUDGETS + 2)
      expect(reasons(measure({ v: 1 }))).toEqual(['used up'])
    })
  })

  it('so long, and while something comes', () => {
    pair('t')
    pair('still')
    for (let bytes = 1; nowMs < MAX_IDLE_MS; bytes++, nowMs += 1_000) {
      expect(measure({ t: bytes, still: 0 })).toEqual([])
    }
    nowMs += 1_000
    expect(measure({ t: 100 })).toEqual([{ type: 'cut', circuit: 'still', reason: 'idle' }])
    const endMs = OPENED_MS + MAX_CIRCUIT_MS
    for (let bytes = 101; nowMs < endMs; bytes++, nowMs += 1_000) {
      expect(measure({ t: bytes })).toEqual([])
    }
    expect(measure({ t: 10_000 })).toEqual([{ type: 'cut', circuit: 't', reason: 'too long' }])
  })
})

describe('when an end leaves', () => {
  it('what is on its way still comes, then the circuit ends', () => {
    pair('t')
    expect(leave('t-a')).toEqual([])
    nowMs += LINGER_MS - 1
    expect(measure({ t: 10 })).toEqual([])
    nowMs += 1
    expect(measure({ t: 20 })).toEqual([{ type: 'cut', circuit: 't', reason: 'left' }])
  })

  it('with both gone it ends at once', () => {
    pair('t')
    leave('t-a')
    expect(leave('t-b')).toEqual([{ type: 'cut', circuit: 't', reason: 'left' }])
    expect(leave('t-b')).toEqual([])
    expect(desk.isIdle).toBe(true)
  })
})

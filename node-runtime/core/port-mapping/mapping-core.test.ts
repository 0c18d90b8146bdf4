import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MappingCore } from './mapping-core.ts'
import type { MappingEffect, MappingEvent, PortMapping } from './mapping-core.ts'

const MAPPING: PortMapping = {
  by: 'pcp',
  address: { host: '11.1.2.3', port: 4_000 },
  lifetimeMs: 3_600_000,
}
const FAULT = { step: 'NO_ANSWER', message: 'nothing' }
const MINUTE_MS = 60_000

/** The core, and the number of its last question. */
class Asked {
  readonly core = new MappingCore()
  nowMs = 0
  ask = 0

  step(event: MappingEvent): MappingEffect[] {
    const effects = this.core.step(event, this.nowMs)
    for (const effect of effects) if (effect.type === 'ask') this.ask = effect.ask
    return effects
  }

  granted(mapping: PortMapping = MAPPING): MappingEffect[] {
    return this.step({ type: 'granted', ask: this.ask, mapping })
  }

  failed(): MappingEffect[] {
    return this.step({ type: 'failed', ask: this.ask, fault: FAULT })
  }
}

function switchedOn(): Asked {
  const asked = new Asked()
  asked.step({ type: 'switched', on: true })
  return asked
}

const waitsOf = (effects: readonly MappingEffect[]): number[] =>
  effects.flatMap((effect) =>
    effect.type === 'setTimer' && effect.id === 'ask' ? [effect.afterMs] : [],
  )
const kinds = (effects: readonly MappingEffect[]): string[] => effects.map(({ type }) => type)

describe('the port at the router', () => {
  it('is asked for once it is switched on, and told until when it holds', () => {
    const asked = new Asked()
    expect(asked.core.status).toEqual({ state: 'off' })
    expect(asked.step({ type: 'switched', on: true })).toContainEqual({
      type: 'ask',
      ask: 1,
      first: null,
    })
    expect(asked.core.status).toEqual({ state: 'asking' })
    asked.nowMs = 50
    asked.granted()
    const { by, address } = MAPPING
    expect(asked.core.status).toEqual({ state: 'mapped', by, address, untilMs: 3_600_050 })
    expect(asked.step({ type: 'switched', on: true })).toEqual([])
  })

  it('is renewed after ten minutes, or half of what the router grants, but not all the time', () => {
    expect(waitsOf(switchedOn().granted())).toEqual([10 * MINUTE_MS])
    expect(waitsOf(switchedOn().granted({ ...MAPPING, lifetimeMs: 4 * MINUTE_MS }))).toEqual([
      2 * MINUTE_MS,
    ])
    expect(waitsOf(switchedOn().granted({ ...MAPPING, lifetimeMs: 1_000 }))).toEqual([30_000])
    expect(waitsOf(switchedOn().granted({ ...MAPPING, lifetimeMs: null }))).toEqual([
      10 * MINUTE_MS,
    ])
  })

  it('holds though the router grants years, which is longer than a timer can wait', () => {
    const asked = switchedOn()
    const effects = asked.granted({ ...MAPPING, lifetimeMs: (2 ** 32 - 1) * 1_000 })
    const ends = effects.flatMap((effect) =>
      effect.type === 'setTimer' && effect.id === 'end' ? [effect.afterMs] : [],
    )
    expect(ends).toEqual([24 * 60 * MINUTE_MS])
    expect(asked.core.status).toMatchObject({ state: 'mapped', untilMs: 24 * 60 * MINUTE_MS })
  })

  it('stays until its end when it is not renewed, and is gone then', () => {
    const asked = switchedOn()
    asked.granted()
    asked.step({ type: 'timer', id: 'ask' })
    asked.failed()
    expect(asked.core.status.state).toBe('mapped')
    asked.step({ type: 'timer', id: 'end' })
    expect(asked.core.status).toEqual({ state: 'failed', fault: FAULT })
  })

  it('is asked for again ever more rarely, and at once after a change of network', () => {
    const asked = switchedOn()
    const waits: number[] = []
    for (let times = 0; times < 8; times++) {
      waits.push(...waitsOf(asked.failed()))
      asked.step({ type: 'timer', id: 'ask' })
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * MINUTE_MS))
    expect(kinds(asked.step({ type: 'networkChanged' }))).toContain('ask')
    expect(waitsOf(asked.failed())).toEqual([MINUTE_MS])
  })

  it('of a network that was left is told no more when the next router gives none', () => {
    const asked = switchedOn()
    asked.granted()
    expect(asked.step({ type: 'networkChanged' })).toContainEqual({
      type: 'ask',
      ask: 2,
      first: MAPPING,
    })
    expect(asked.core.status.state).toBe('mapped')
    asked.failed()
    expect(asked.core.status.state).toBe('failed')
  })

  it('is taken back when it is switched off, and when another way has given one', () => {
    const asked = switchedOn()
    asked.granted()
    asked.step({ type: 'timer', id: 'ask' })
    const other: PortMapping = { ...MAPPING, by: 'upnp', lifetimeMs: null }
    expect(asked.granted(other)).toContainEqual({ type: 'release', mapping: MAPPING })
    expect(asked.step({ type: 'switched', on: false })).toContainEqual({
      type: 'release',
      mapping: other,
    })
    expect(asked.core.status).toEqual({ state: 'off' })
    // What comes late is nothing any more.
    expect(asked.granted()).toEqual([])
    expect(asked.step({ type: 'timer', id: 'ask' })).toEqual([])
  })

  it('of a router that is behind another is taken back, and said to be useless', () => {
    const asked = switchedOn()
    const behind: PortMapping = { ...MAPPING, address: { host: '100.64.3.4', port: 4_000 } }
    expect(asked.granted(behind)).toContainEqual({ type: 'release', mapping: behind })
    expect(asked.core.status).toMatchObject({ state: 'failed', fault: { step: 'BEHIND_ANOTHER' } })
  })

  it('answers to earlier questions are left out', () => {
    const asked = switchedOn()
    asked.step({ type: 'networkChanged' })
    expect(asked.step({ type: 'granted', ask: 1, mapping: MAPPING })).toEqual([])
    expect(asked.step({ type: 'failed', ask: 1, fault: FAULT })).toEqual([])
    expect(asked.core.status).toEqual({ state: 'asking' })
  })

  it('while it is switched on, there is always a question under way or planned', () => {
    const event = fc.oneof(
      fc.boolean().map((on): MappingEvent => ({ type: 'switched', on })),
      fc.constant<MappingEvent>({ type: 'networkChanged' }),
      fc.constantFrom<MappingEvent>({ type: 'timer', id: 'ask' }, { type: 'timer', id: 'end' }),
      fc.constantFrom('11.1.2.3', '10.1.2.3').map(
        (host): MappingEvent => ({
          type: 'granted',
          ask: -1,
          mapping: { ...MAPPING, address: { host, port: 1 } },
        }),
      ),
      fc.constant<MappingEvent>({ type: 'failed', ask: -1, fault: FAULT }),
    )
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const asked = new Asked()
        let [isPlanned, isUnderWay] = [false, false]
        for (const one of events) {
          // A timer rings only if it was set.
          if (one.type === 'timer' && one.id === 'ask' && !isPlanned) continue
          const isAnswer = one.type === 'granted' || one.type === 'failed'
          if (isAnswer) isUnderWay = false
          if (one.type === 'timer' && one.id === 'ask') isPlanned = false
          for (const effect of asked.step(isAnswer ? { ...one, ask: asked.ask } : one)) {
            if (effect.type === 'ask') isUnderWay = true
            if (effect.type === 'setTimer' && effect.id === 'ask') isPlanned = true
            if (effect.type === 'clearTimer' && effect.id === 'ask') isPlanned = false
          }
          if (asked.core.status.state !== 'off') expect(isPlanned || isUnderWay).toBe(true)
        }
      }),
    )
  })
})

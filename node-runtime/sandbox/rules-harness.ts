// The JavaScript around a rules module inside its interpreter: what is asked of its functions, and in
// which order. It decides what a position is, so a change here is a change of the engine's name.

/** Texts of modules; `begin`, `move` and `state` are JSON, `viewer` is a JSON literal. */
export interface RulesHarness {
  prelude: string
  /** Comes before each of the texts below. */
  header(entry: string): string
  link: string
  start(begin: string, seats: number): string
  play(state: string, move: string, seats: number): string
  view(state: string, viewer: string): string
}

/** A part of the worker's text; it uses nothing from outside itself. */
export function rulesHarness(): RulesHarness {
  const PRELUDE = `
    export const parse = JSON.parse
    const { stringify } = JSON
    const { isArray } = Array
    const { keys } = Object
    const hasOwn = Function.prototype.call.bind(Object.prototype.hasOwnProperty)
    const { TypeError } = globalThis
    export const text = (value) => {
      const json = stringify(value)
      if (typeof json !== 'string') throw new TypeError('they gave back no JSON value')
      return json
    }
    export const same = (a, b) => {
      if (a === b) return true
      if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
      if (isArray(a) !== isArray(b)) return false
      const names = keys(a)
      if (names.length !== keys(b).length) return false
      for (let i = 0; i < names.length; i++) {
        if (!hasOwn(b, names[i]) || !same(a[names[i]], b[names[i]])) return false
      }
      return true
    }
    Math.random = () => { throw new Error('rules have no chance but the seed') }
    for (const name of ['Date', 'WeakRef', 'FinalizationRegistry', 'performance', 'console']) {
      delete globalThis[name]
    }`
  /** Each function gets values of its own, so that none can change what another is asked about. */
  const header = (entry: string): string => `
    import { parse, same, text } from 'dharma:prelude'
    import * as rules from ${JSON.stringify(`/${entry}`)}
    const settle = (state, seats) => {
      const end = rules.outcome(parse(state))
      const outcome = text(end)
      let legal = '['
      for (let seat = 0; seat < seats; seat++) {
        legal += (seat === 0 ? '' : ',') + (end === null ? text(rules.legal(parse(state), seat)) : '[]')
      }
      return { state, outcome, legal: legal + ']' }
    }
    const isLegal = (state, seat, action) => {
      if (rules.outcome(parse(state)) !== null) return false
      const actions = parse(text(rules.legal(parse(state), seat)))
      for (let i = 0; i < actions.length; i++) if (same(actions[i], action)) return true
      return false
    }
    const nothing = { state: '', outcome: '', legal: '' }`
  const LINK = `
    for (const name of ['init', 'legal', 'apply', 'outcome', 'view']) {
      if (typeof rules[name] !== 'function') throw new Error('the module exports no function ' + name)
    }`
  // QuickJS knows no exports by destructuring.
  const positionOf = (expression: string): string => `
    const reached = ${expression}
    export const state = reached.state
    export const outcome = reached.outcome
    export const legal = reached.legal`
  const literal = (json: string): string => JSON.stringify(json)
  const startText = (begin: string, seats: number): string =>
    positionOf(`settle(text(rules.init(...parse(${literal(begin)}))), ${seats})`)
  const playText = (state: string, move: string, seats: number): string => `
    const before = ${literal(state)}
    const [seat, action] = parse(${literal(move)})
    ${positionOf(`isLegal(before, seat, action)
      ? settle(text(rules.apply(parse(before), seat, parse(text(action)))), ${seats})
      : nothing`)}`
  const viewText = (state: string, viewer: string): string =>
    `export const view = text(rules.view(parse(${literal(state)}), ${viewer}))`
  return {
    prelude: PRELUDE,
    header,
    link: LINK,
    start: startText,
    play: playText,
    view: viewText,
  }
}

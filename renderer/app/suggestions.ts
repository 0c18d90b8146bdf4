// What the address bar offers for the text in it. Pure.
import type { MachineInfo } from '../../node-runtime/contract/machines.ts'
import { isInvitationLink } from '../../node-runtime/contract/join-text.ts'
import type { InstalledSystem } from '../../node-runtime/contract/systems.ts'
import {
  guessRepository,
  parseAddress,
  repositoryAddress,
  systemAddress,
} from '../client/address.ts'
import type { Visit } from '../stores/history.ts'

export type Suggestion =
  | { kind: 'address'; title: string; detail: string; address: string }
  | { kind: 'invitation'; title: string; detail: string; link: string }
  | { kind: 'install'; title: string; detail: string; url: string }
  | { kind: 'tab'; title: string; detail: string; tab: string }
  | { kind: 'page' | 'system' | 'visit'; title: string; detail: string; address: string }
  | { kind: 'machine'; title: string; detail: string; address: string }

export interface Searched {
  pages: readonly { title: string; address: string }[]
  tabs: readonly { id: string; title: string; address: string }[]
  systems: readonly InstalledSystem[]
  machines: readonly MachineInfo[]
  visits: readonly Visit[]
}

const MOST = 8

/** Every word of the text occurs in one of the fields. */
function matches(text: string, fields: readonly string[]): boolean {
  const all = fields.join(' ').toLowerCase()
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}

/** What the text itself means: an address to open, an invitation, a repository. The likelier first. */
function direct(text: string): Suggestion[] {
  if (isInvitationLink(text)) {
    const [title, detail] = ['Open the invitation', 'See where it leads, then join']
    return [{ kind: 'invitation', title, detail, link: text }]
  }
  const repository = guessRepository(text)
  const target = parseAddress(text)
  const offers: Suggestion[] = []
  if (repository !== 'no') {
    const url = repositoryAddress(text)
    offers.push({ kind: 'install', title: 'Install from repository', detail: url, url })
  }
  if (target !== null) {
    offers.push({
      kind: 'address',
      title: target.address,
      detail: 'Open this address',
      address: target.address,
    })
  }
  return repository === 'possible' ? offers.toReversed() : offers
}

/** At most eight, the best first. The first is what Enter does. */
export function suggest(input: string, searched: Searched): Suggestion[] {
  const text = input.trim()
  if (text === '') return []
  const meant = direct(text)
  const found: Suggestion[] = [
    ...searched.pages
      .filter(({ title, address }) => matches(text, [title, address]))
      .map((page): Suggestion => ({ kind: 'page', detail: page.address, ...page })),
    ...searched.systems
      .filter(({ name, id, description = '' }) => matches(text, [name, id, description]))
      .map(
        ({ host, name }): Suggestion => ({
          kind: 'system',
          title: name,
          detail: systemAddress(host),
          address: systemAddress(host),
        }),
      ),
    ...searched.tabs
      .filter(({ title, address }) => matches(text, [title, address]))
      .map(
        ({ id, title, address }): Suggestion => ({
          kind: 'tab',
          title,
          detail: `Switch to the open tab · ${address}`,
          tab: id,
        }),
      ),
    ...searched.visits
      .filter(({ title, address }) => matches(text, [title, address]))
      .map(
        ({ title, address }): Suggestion => ({ kind: 'visit', title, detail: address, address }),
      ),
    ...searched.machines
      .filter(({ name, machine }) => matches(text, [name, machine]))
      .map(
        ({ name, online }): Suggestion => ({
          kind: 'machine',
          title: name,
          detail: online ? 'Machine of your cloud, online' : 'Machine of your cloud, offline',
          address: 'cloud://machines',
        }),
      ),
  ]
  const seen = new Set<string>()
  const distinct = found.filter((suggestion) => {
    const key =
      'address' in suggestion
        ? `${suggestion.kind === 'machine' ? suggestion.title : ''}${suggestion.address}`
        : suggestion.kind === 'tab'
          ? suggestion.tab
          : ''
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
  // A bare word such as "machines" is more likely something known here than a host of that name.
  const isBareWord = /^[\p{L}\p{N}-]+$/u.test(text) && text !== 'localhost'
  return (isBareWord ? [...distinct, ...meant] : [...meant, ...distinct]).slice(0, MOST)
}

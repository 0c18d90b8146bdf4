/** What this version of Dharma speaks; a machine says so in its entry, and two agree on what both do. */
export const PROTOCOL = { version: 2, capabilities: ['machines/2'] }

/** Added while a machine relays for others. */
const RELAYS = 'relay/1'

/** Does a machine that says this relay for others? It does so while they reach it by themselves. */
export function saysThatItRelays({ capabilities }: { capabilities: readonly string[] }): boolean {
  return capabilities.includes(RELAYS)
}

/** What a machine says that it speaks. @param relays  may others go through it? */
export function protocolOf(relays: boolean): { version: number; capabilities: string[] } {
  const { version, capabilities } = PROTOCOL
  return { version, capabilities: relays ? [...capabilities, RELAYS] : capabilities }
}

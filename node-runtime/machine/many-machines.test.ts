import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MAX_LINKS } from '../core/rings/link-plan.ts'
import { notesManifest, TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine } from '../testing/cloud-nodes.ts'

/** More than each of them keeps links with. */
const MACHINES = 22
const SLOW_MS = 120_000

let cloud: TestCloud
const machines: TestMachine[] = []

beforeAll(async () => {
  cloud = await TestCloud.create()
  machines.push(...(await Promise.all(Array.from({ length: MACHINES }, () => cloud.start()))))
}, SLOW_MS)
afterAll(() => cloud.close(), SLOW_MS)

function linksOf({ node }: TestMachine): string[] {
  const linked = node.membership.list().filter((one) => one.linked)
  return linked.map(({ machine }) => machine)
}

describe('a cloud with more machines than one keeps links with', { timeout: SLOW_MS }, () => {
  it('has sixteen links a machine at most, and knows all others', async () => {
    const settled = new Set<TestMachine>()
    await until(() => {
      for (const machine of machines) {
        const { swarm, membership, ringLinks } = machine.node
        expect(ringLinks.standing).toBeLessThanOrEqual(MAX_LINKS)
        // Links may have opened that have not been looked at.
        const isSparse = swarm.linkCount <= MAX_LINKS + 2 && ringLinks.standing >= 4
        if (isSparse && membership.list().length === MACHINES) settled.add(machine)
      }
      return settled.size === MACHINES
    }, 80_000)
  })

  it('brings a record to all, over several links if need be', async () => {
    const [author] = machines as [TestMachine]
    const note = { system: notesManifest.id, collection: 'notes', id: 'to all' }
    await author.node.database.put(note, { text: 'hello' })
    const person = author.identity.person
    await until(async () => {
      const held = machines.map(({ node }) => node.database.get(note, { author: person }))
      return (await Promise.all(held)).every((record) => record !== null)
    }, 60_000)
  })

  it('has a link between any two that need one, without the DHT, too', async () => {
    const [one] = machines as [TestMachine]
    const far = machines.find(
      (other) => other !== one && !linksOf(one).includes(other.identity.machine),
    )!
    // Where the others are, their entries say.
    await cloud.endDht()
    one.node.swarm.reach(far.identity.machine)
    await until(() => linksOf(one).includes(far.identity.machine), 60_000)
    const standing = one.node.ringLinks.standing
    expect(standing).toBeLessThanOrEqual(MAX_LINKS)
  })
})

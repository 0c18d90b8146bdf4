// Machines of different versions, with different versions of a system or without it: all hold the
// same records, byte for byte, and each shows what it can.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { join } from 'node:path'
import type { Manifest } from '../contract/manifest.ts'
import { encodeRecord } from '../core/db/signed-record.ts'
import { openGenesis } from '../core/forms/genesis.ts'
import type { MachineEntry } from '../core/forms/machine-form.ts'
import { encodeKey, hash, toHex } from '../core/keys.ts'
import { sharedJudge } from '../sandbox/schema-judge.ts'
import type { JudgesValues } from '../services/db/judgement.ts'
import { NOTES_KEY, notesManifest, TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine, TestMachineOptions } from '../testing/cloud-nodes.ts'
import { heldIn, heldOnDisk } from '../testing/held-records.ts'
import type { Held } from '../testing/held-records.ts'
import { LATER_FIELD, laterGenesis, LaterMachine } from '../testing/later-version.ts'

let cloud: TestCloud
const later = new Set<LaterMachine>()

beforeEach(async () => {
  cloud = await TestCloud.create({ genesis: laterGenesis() })
})
afterEach(async () => {
  await Promise.all([...later].map((machine) => machine.close()))
  later.clear()
  await cloud.close()
})

/** Notes with another schema. */
function notesOf(version: string, required: string): Manifest {
  const schema = { type: 'object', required: [required] }
  const { collections } = notesManifest
  return {
    ...notesManifest,
    version,
    collections: { ...collections, notes: { ...collections['notes']!, schema } },
  }
}

const FIRST = notesOf('1.0.0', 'text')
const SECOND = notesOf('2.0.0', 'title')
const notes = { system: NOTES_KEY, collection: 'notes' }

interface Judging extends TestMachine {
  system: { installed: Manifest | undefined; judged: number }
}

/** A machine whose version of Notes can change, and that counts what it judges. */
async function startWith(
  manifest: Manifest | undefined,
  options: TestMachineOptions = {},
): Promise<Judging> {
  const system = { installed: manifest, judged: 0 }
  const judge: JudgesValues = {
    judge(schema, text, values, owner) {
      system.judged += values.length
      return sharedJudge().judge(schema, text, values, owner)
    },
  }
  return { system, ...(await cloud.start({ ...options, notes: () => system.installed, judge })) }
}

async function idsShownBy({ node }: TestMachine): Promise<string[]> {
  const { records } = await node.database.query({ ...notes, limit: 100 })
  return records.map(({ id }) => id)
}

/**
 * Machines compare what they hold when a link opens, and then now and then: starts all but the last
 * anew, and waits until each pair was found equal.
 */
async function compareAnew(machines: readonly Judging[]): Promise<Judging[]> {
  const since = performance.now()
  const [last, ...others] = machines.toReversed() as [Judging, ...Judging[]]
  await Promise.all(others.map((machine) => cloud.stop(machine)))
  const started = await Promise.all(
    others.map(({ system, dataDir }) => startWith(system.installed, { dataDir })),
  )
  const again = [last, ...started].toReversed()
  await until(() => again.every((machine) => isInStep(machine, again.length - 1, since)))
  return again
}

function isInStep({ node }: TestMachine, others: number, sinceMs: number): boolean {
  const times = [...node.replication.inStepMs.values()]
  const fresh = times.filter((atMs) => atMs > sinceMs)
  return fresh.length === others && node.database.completeness().complete
}

async function heldBy(machine: TestMachine): Promise<Held> {
  await cloud.stop(machine)
  return heldOnDisk(join(cloud.folderIn(machine.dataDir), 'records'), machine.node.cloud)
}

describe('machines with different versions of a system, and one without it', () => {
  const startAll = () =>
    Promise.all([startWith(FIRST), startWith(SECOND), startWith(undefined)] as const)

  it('hold the same records, and each shows those that fit its own version', async () => {
    const [first, second, without] = await startAll()
    await first.node.database.put({ ...notes, id: 'old' }, { text: 'of the first version' })
    await second.node.database.put({ ...notes, id: 'new' }, { title: 'of the second version' })
    await second.node.database.put({ ...notes, id: 'both' }, { title: 'both', text: 'both' })
    await first.node.database.put({ ...notes, id: 'gone' }, { text: 'gone' })
    await first.node.database.delete({ ...notes, id: 'gone' })
    await until(async () => (await idsShownBy(without)).length === 3)
    await until(async () => (await idsShownBy(first)).length === 2)
    const machines = await compareAnew([first, second, without])
    const shown = await Promise.all(machines.map(idsShownBy))
    expect(shown).toEqual([
      ['both', 'old'],
      ['both', 'new'],
      ['both', 'new', 'old'],
    ])
    const [one, ...others] = await Promise.all(machines.map(heldBy))
    expect(one?.envelopes).toHaveLength(4)
    for (const other of others) expect(other).toEqual(one)
  })

  it('show what fits after an install or an update, each record judged once', async () => {
    const [first, second, without] = await startAll()
    const held = [first, second].map(({ node }) => {
      const ids = new Set<string>()
      node.on('recordMerged', ({ id }) => ids.add(id))
      return ids
    })
    await first.node.database.put({ ...notes, id: 'old' }, { text: 'of the first version' })
    await second.node.database.put({ ...notes, id: 'new' }, { title: 'of the second version' })
    await until(async () => (await idsShownBy(without)).length === 2)
    await until(() => held.every(({ size }) => size === 2))
    expect(without.system.judged).toBe(0)
    without.system.installed = SECOND
    expect(await idsShownBy(without)).toEqual(['new'])
    expect(without.system.judged).toBe(2)
    first.system.judged = 0
    first.system.installed = SECOND
    expect(await idsShownBy(first)).toEqual(['new'])
    expect(first.system.judged).toBe(2)
    // Kept, also over a restart, and no part of what machines compare.
    const judgedBefore = second.system.judged
    const machines = await compareAnew([without, first, second])
    for (const machine of machines) {
      for (let reading = 0; reading < 3; reading++) {
        expect(await idsShownBy(machine)).toEqual(['new'])
      }
    }
    expect(machines.map(({ system }) => system.judged)).toEqual([0, 0, judgedBefore])
  })
})

describe('a machine of a later version and one of this', () => {
  async function startLater(): Promise<LaterMachine> {
    const machine = await LaterMachine.start({
      folder: await cloud.makeFolder(),
      cloud: cloud.cloud,
      genesis: cloud.genesis,
      bootstrap: cloud.bootstrap,
    })
    later.add(machine)
    return machine
  }

  const strange = { system: encodeKey(hash(Buffer.from('a later system'))), collection: 'things' }
  const put = (machine: LaterMachine, id: string, rule: string, more: object = {}) =>
    machine.put({ ...strange, id, rule, value: { by: 'the later version' } }, more)

  it('work together, and pass on what the later one signed, unchanged', async () => {
    const writer = await startLater()
    const today = await cloud.start()
    await until(() => writer.linkCount === 1 && today.node.swarm.linkCount === 1)
    expect(writer.agreementWith(today.identity.machine)?.version).toBe(2)

    const records = [
      await put(writer, 'plain', 'author'),
      await put(writer, 'rule', 'witnessed', { witnesses: [writer.machine] }),
      await put(writer, 'critical', 'author', { critical: ['expires'], expires: 1 }),
      await put(writer, '', 'content'),
    ]
    await today.node.database.put({ ...notes, id: 'mine' }, { text: 'by this version' })
    await until(async () => (await heldIn(writer.store)).envelopes.length === 5)
    const { database } = today.node
    await until(async () => (await database.query({ ...strange, limit: 10 })).records.length === 4)

    // A protocol that is unknown here changes nothing about the link.
    const { machine } = today.identity
    const since = today.node.swarm.agreementWith(writer.machine)
    for (let round = 0; round < 50; round++) writer.speakLater()
    await put(writer, 'after', 'author')
    await until(async () => (await database.query({ ...strange, limit: 10 })).records.length === 5)
    expect(today.node.swarm.agreementWith(writer.machine)).toBe(since)
    expect(writer.agreementWith(machine)).not.toBeNull()
    const held = await heldIn(writer.store)
    await writer.close()
    later.delete(writer)

    // A third one has it from this one only.
    const thirdMs = performance.now()
    const third = await startLater()
    const entries: MachineEntry[] = []
    third.onEntry((entry) => entries.push(entry))
    await until(async () => (await heldIn(third.store)).envelopes.length === 6)
    expect(await heldIn(third.store)).toEqual(held)
    for (const record of records) {
      const found = held.envelopes.find((each) => each.startsWith(toHex(encodeRecord(record))))
      expect(Buffer.from(record.body).toString()).toContain('"since":"0.9"')
      expect(found).toContain(JSON.stringify(writer.attestation.form))
    }
    expect(writer.attestation.form.body).toContain('"since":"0.9"')
    await until(() => entries.some((entry) => entry.machine === writer.machine))
    const entry = entries.find((each) => each.machine === writer.machine)
    expect(JSON.parse(entry?.form.body ?? '')).toMatchObject(LATER_FIELD)
    await until(() => isInStep(today, 1, thirdMs))
    expect(await heldBy(today)).toEqual(held)
  })

  it('agree on how the cloud began, with all that is said of it', async () => {
    const learned: string[] = []
    const writer = await startLater()
    const today = await cloud.start({ learned: (body) => learned.push(body) })
    await until(() => writer.linkCount === 1)
    await until(() => learned.length === 1)
    expect(learned[0]).toBe(cloud.genesis)
    expect(openGenesis(learned[0] ?? '', cloud.cloud)?.name).toBe('Later')
    expect(JSON.parse(learned[0] ?? '')).toMatchObject(LATER_FIELD)
    expect(today.node.swarm.linkCount).toBe(1)
  })
})

// Who comes into a cloud, on real machines: one that is open, one by invitation, one of releases.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { signAdmission } from '../core/admission/admission-form.ts'
import { genesisBody } from '../core/forms/genesis.ts'
import { keyOf, keysOf } from '../testing/entries.ts'
import { TestCloud, until } from '../testing/cloud-nodes.ts'
import type { TestMachine } from '../testing/cloud-nodes.ts'
import type { Log } from '../ports/log.ts'
import { silentLog } from '../testing/silent-log.ts'

const ownerKey = { publicKey: keyOf('owner'), secretKey: keysOf('owner').secretKey }

let cloud: TestCloud | undefined
afterEach(async () => cloud?.close())

async function create(admission: { kind: string; work?: number }): Promise<TestCloud> {
  const genesis = genesisBody({ name: 'Ours', admission, keys: [keyOf('owner')], nonce: '1' })
  cloud = await TestCloud.create({ genesis })
  return cloud
}

/** A log that keeps why connections were closed. */
function listening(): { log: Log; reasons: string[]; times: number[] } {
  const reasons: string[] = []
  const times: number[] = []
  const info: Log['info'] = (_message, fields) => {
    if (typeof fields?.['reason'] !== 'string') return
    reasons.push(fields['reason'])
    if (fields['reason'].startsWith('it may not come in')) times.push(performance.now())
  }
  return { log: { ...silentLog, info }, reasons, times }
}

const areLinked = (a: TestMachine, b: TestMachine): boolean =>
  a.node.swarm.isOnline(b.identity.machine) && b.node.swarm.isOnline(a.identity.machine)

describe('an open cloud', () => {
  it('takes in a machine that knows its key only, once that has done the work', async () => {
    const { start } = await boundStart({ kind: 'open', work: 12 })
    const a = await start()
    const learned: string[] = []
    const b = await start({ learned: (body) => learned.push(body) })
    await until(() => areLinked(a, b))
    expect(learned).toEqual([cloud?.genesis])
    await until(() => b.node.admission.report.state === 'in')
    expect(b.node.admission.report).toEqual({ kind: 'open', state: 'in', fault: null })
    const file = JSON.parse(
      await readFile(join(cloud!.folderIn(b.dataDir), 'admission.json'), 'utf8'),
    ) as { nonce: string }
    expect(file.nonce).toMatch(/^[0-9a-z]+$/)
  })

  it('goes on working where it can, and shows that it does', async () => {
    const { start } = await boundStart({ kind: 'open', work: 32 })
    const a = await start()
    expect(a.node.admission.report).toEqual({ kind: 'open', state: 'working', fault: null })
  })
})

describe('a cloud by invitation', () => {
  it('has its owner in it, lets in whom somebody let in, and nobody else', async () => {
    const { start } = await boundStart({ kind: 'invitation' })
    const { log, reasons, times } = listening()
    const founder = await start({ ownerKey, log })
    expect(founder.node.admission.report.state).toBe('in')
    const stranger = await start()
    await until(() => stranger.node.swarm.ways.some(({ found }) => found > 0))
    expect(stranger.node.admission.report).toEqual({
      kind: 'invitation',
      state: 'missing',
      fault: 'INVITATION_MISSING',
    })
    await until(() => reasons.includes('it may not come in: INVITATION_MISSING'))
    // It leaves the door alone before it comes again, whoever of the two dials.
    await until(() => times.length > 1)
    expect(times[1]! - times[0]!).toBeGreaterThan(1_900)
    expect(areLinked(founder, stranger)).toBe(false)

    const { cloud: id } = cloud!
    const form = signAdmission(
      { cloud: id, person: stranger.identity.person, sequence: Date.now() },
      {
        publicKey: founder.identity.machine,
        secretKey: founder.identity.machineKeys.secretKey,
        attestation: founder.identity.attestationFor(id),
      },
    )
    await stranger.node.admission.keepChain([form, ...founder.node.admission.chain!])
    await until(() => areLinked(founder, stranger))
    expect(stranger.node.admission.report.state).toBe('in')
  })
})

describe('a cloud of releases', () => {
  it('lets in who runs one, until its key takes it back', async () => {
    const { start } = await boundStart({ kind: 'release' })
    const founder = await start({ ownerKey })
    const { release, file } = founder.node.admission.makeRelease('Spring', null)
    const a = await start({ release: file })
    const b = await start({ release: file })
    const other = await start({ release: founder.node.admission.makeRelease('Summer', null).file })
    await until(() => areLinked(founder, a) && areLinked(a, b) && areLinked(a, other))
    await founder.node.admission.revokeRelease(release)
    // Those that run it close the links themselves, as soon as they hear of it.
    await until(() => !areLinked(founder, a) && !areLinked(a, b) && !areLinked(a, other))
    await until(() => areLinked(founder, other))
    await until(() => a.node.admission.report.fault === 'RELEASE_REVOKED')
    expect(a.node.admission.report.state).toBe('refused')

    // Whoever has not heard of it yet is told why it is let in no more.
    const late = await start({ release: file })
    await until(() => late.node.admission.report.fault === 'RELEASE_REVOKED')
    // It tries again, and each time opens a link for the moment until it hears: it is not in by that.
    const refused = vi.spyOn(late.node.admission, 'refused')
    const states = new Set<string>()
    late.node.on('connectionChanged', () => states.add(late.node.admission.report.state))
    await until(() => refused.mock.calls.length > 1 && late.node.swarm.linkCount === 0)
    expect([...states]).not.toContain('in')
  })
})

async function boundStart(admission: { kind: string; work?: number }) {
  const made = await create(admission)
  return { start: (options: Parameters<TestCloud['start']>[0] = {}) => made.start(options) }
}

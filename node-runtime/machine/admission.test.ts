// Who comes into a cloud, on real machines: one that is open, one by invitation, one of releases.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { signAdmission } from '../core/admission/admission-form.ts'
import { formatVersion } from '../core/db/hybrid-clock.ts'
import { genesisBody } from '../core/forms/genesis.ts'
import { signRevocation } from '../core/forms/revocation.ts'
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
    expect(b.node.admission.report).toMatchObject({ kind: 'open', state: 'in', fault: null })
    const file = JSON.parse(
      await readFile(join(cloud!.folderIn(b.dataDir), 'admission.json'), 'utf8'),
    ) as { nonce: string }
    expect(file.nonce).toMatch(/^[0-9a-z]+$/)
  })

  it('goes on working where it can, and shows that it does', async () => {
    const { start } = await boundStart({ kind: 'open', work: 32 })
    const a = await start()
    expect(a.node.admission.report).toMatchObject({ kind: 'open', state: 'working', fault: null })
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
    expect(stranger.node.admission.report).toMatchObject({
      kind: 'invitation',
      state: 'missing',
      fault: 'INVITATION_MISSING',
    })
    await until(() => reasons.includes('it may not come in: INVITATION_MISSING'))
    // It leaves the door alone before it comes again, whoever of the two dials.
    await until(() => times.length > 1)
    expect(times[1]! - times[0]!).toBeGreaterThan(1_900)
    expect(areLinked(founder, stranger)).toBe(false)

    await letIn(founder, stranger)
    await until(() => areLinked(founder, stranger))
    expect(stranger.node.admission.report.state).toBe('in')
  })
})

describe('a machine that was revoked', () => {
  /** The founder, and a machine of a person whom the founder let in. */
  async function startTwo() {
    const { start } = await boundStart({ kind: 'invitation' })
    const founder = await start({ ownerKey })
    const lost = await start()
    await letIn(founder, lost)
    await until(() => areLinked(founder, lost))
    return { start, founder, lost }
  }
  const faultOn = ({ node }: TestMachine): string | null => node.admission.report.fault
  const noticesOn = ({ node }: TestMachine): string[] => node.notices.map(({ code }) => code)

  it('lets nobody in any more, and whom it let in since has to go', async () => {
    const { start, founder, lost } = await startTwo()
    const before = await start()
    await letIn(lost, before)
    const meanwhile = Date.now()
    // In the hands of a thief: it lets in a person who has not been there before, by whatever name.
    const after = await start()
    await letIn(lost, after, meanwhile + 1)
    await until(() => areLinked(founder, before) && areLinked(founder, after))
    await revoke(founder, lost, meanwhile)
    await until(() => !areLinked(founder, lost) && !areLinked(founder, after))
    await until(() => faultOn(after) === 'INVITER_REVOKED')
    expect(areLinked(founder, before)).toBe(true)
    expect(faultOn(before)).toBeNull()

    const late = await start()
    await letIn(lost, late, meanwhile + 2)
    await until(() => faultOn(late) === 'INVITER_REVOKED')
    expect(areLinked(founder, late)).toBe(false)
    // Who is let in by somebody else is in.
    await letIn(before, late)
    await until(() => areLinked(founder, late) && faultOn(late) === null)
  })

  it('hears at the door why it gets no link, and gets one as soon as it is attested anew', async () => {
    const { start, founder, lost } = await startTwo()
    await cloud?.stop(lost)
    await revoke(founder, lost, Date.now())
    // It was off, and has nobody who tells it.
    const again = await start({ dataDir: lost.dataDir })
    await until(() => faultOn(again) === 'MACHINE_REVOKED')
    expect(noticesOn(again)).toEqual(['MACHINE_REVOKED'])
    expect(again.node.admission.report.state).toBe('refused')
    // Whatever it waits for at doors it waits for no more.
    const passChanged = vi.spyOn(again.node.swarm, 'passChanged')
    const { machine } = again.identity
    await again.identity.attest({ machine, cloud: cloud!.cloud }, Date.now() + 1)
    expect(passChanged).toHaveBeenCalledTimes(1)
    await until(() => areLinked(founder, again))
    expect(faultOn(again)).toBeNull()
    expect(noticesOn(again)).toEqual([])
  })
})

describe('a cloud of releases', () => {
  it('lets in who runs one, until its key takes it back', async () => {
    const { start } = await boundStart({ kind: 'release' })
    const founder = await start({ ownerKey })
    const { releases } = founder.node.admission
    const { release, file } = await releases.make('Spring', null)
    const a = await start({ release: file })
    const b = await start({ release: file })
    const other = await start({ release: (await releases.make('Summer', null)).file })
    await until(() => areLinked(founder, a) && areLinked(a, b) && areLinked(a, other))
    expect(await releases.revoke('Spring')).toBe(release)
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

/** One lets the person of another in, as the hosts of an invitation do. */
async function letIn(by: TestMachine, guest: TestMachine, sequence = Date.now()): Promise<void> {
  const { cloud: id } = cloud!
  const form = signAdmission(
    { cloud: id, person: guest.identity.person, sequence },
    {
      publicKey: by.identity.machine,
      secretKey: by.identity.machineKeys.secretKey,
      attestation: by.identity.attestationFor(id),
    },
  )
  await guest.node.admission.keepChain([form, ...by.node.admission.chain!])
}

/** The person of a machine revokes it; another one hears of it. */
async function revoke(on: TestMachine, lost: TestMachine, untilMs: number): Promise<void> {
  const { person, secretKey } = lost.identity.keysOf()
  const statement = {
    person,
    machine: lost.identity.machine,
    cloud: cloud!.cloud,
    sequence: Date.now(),
    validUntil: formatVersion({ timeMs: untilMs, counter: 0xffff }),
  }
  await on.node.revoke(signRevocation(statement, secretKey))
}

async function boundStart(admission: { kind: string; work?: number }) {
  const made = await create(admission)
  return { start: (options: Parameters<TestCloud['start']>[0] = {}) => made.start(options) }
}

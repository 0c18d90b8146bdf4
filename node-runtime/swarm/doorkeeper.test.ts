import { EventEmitter } from 'node:events'
import type { SwarmConnection } from 'hyperswarm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeKey } from '../core/keys.ts'
import { keyOf, keysOf, signTestEntry } from '../testing/entries.ts'
import type { Pass } from '../core/admission/pass.ts'
import { ADMIT_ALL, Doorkeeper } from './doorkeeper.ts'
import type { Admissions } from './doorkeeper.ts'
import { MAX_GREETING_BYTES, readGreeting, refusalCodec, writeGreeting } from './greeting.ts'

const CLOUD = keyOf('cloud')
const cloudKey = decodeKey(CLOUD)!
const own = signTestEntry({ keys: keysOf('own'), cloud: CLOUD })
const keys = keysOf('other')

/** As much of a connection as there is before anything is said on it. */
class FakeConnection extends EventEmitter {
  readonly remotePublicKey = keys.publicKey
  readonly publicKey = keysOf('own').publicKey
  readonly handshakeHash = Buffer.alloc(64, 1)
  readonly rawStream: EventEmitter & { remoteHost?: string } = new EventEmitter()
  readonly written: Uint8Array[] = []
  _len = 0
  destroyed = false
  ended = false

  constructor(address: string) {
    super()
    this.rawStream.remoteHost = address
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes)
  }

  end(): void {
    this.ended = true
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }
}

function open(
  admissions: Partial<Admissions> = {},
  onTurnedAway: (machine: string) => void = () => {},
) {
  const refused: string[] = []
  const greeted: string[] = []
  const doorkeeper = new Doorkeeper({
    cloud: CLOUD,
    cloudKey,
    ownEntry: () => own,
    genesis: () => null,
    now: Date.now,
    admissions: { ...ADMIT_ALL, ...admissions },
    onGreeted: (_, { entry }) => greeted.push(entry.machine),
    onRefused: (reason) => refused.push(reason),
    onTurnedAway,
  })
  const receive = (address = '10.0.0.1'): FakeConnection => {
    const connection = new FakeConnection(address)
    doorkeeper.receive(connection as unknown as SwarmConnection)
    return connection
  }
  return { doorkeeper, receive, refused, greeted }
}

function greetingOn({ handshakeHash }: FakeConnection, pass: Pass | null = null): Uint8Array {
  const entry = signTestEntry({ keys, cloud: CLOUD })
  const ends = { handshakeHash, publicKey: keys.publicKey, cloud: CLOUD, cloudKey }
  return writeGreeting(ends, { entry, genesis: null, pass, timeMs: null })
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('at the door', () => {
  it('a machine of the cloud gets in, and what it sends next is not read here', () => {
    const { receive, greeted, refused, doorkeeper } = open()
    const connection = receive()
    expect(connection.written).toHaveLength(1)
    connection.emit('data', greetingOn(connection))
    connection.emit('data', Buffer.from('not json'))
    vi.advanceTimersByTime(10_000)
    expect(greeted).toEqual([keyOf('other')])
    expect(refused).toEqual([])
    expect(connection.destroyed).toBe(false)
    expect(connection.listenerCount('data')).toBe(0)
    expect(doorkeeper.waitingCount).toBe(0)
  })

  it('who does not know the cloud is not let in, and is told once', () => {
    const { receive, greeted, refused, doorkeeper } = open()
    const connection = receive()
    const elsewhere = new FakeConnection('10.0.0.1')
    elsewhere.handshakeHash.fill(2)
    connection.emit('data', greetingOn(elsewhere))
    connection.emit('data', greetingOn(connection))
    vi.advanceTimersByTime(10_000)
    expect(greeted).toEqual([])
    expect(refused).toEqual(['it does not know the key of this cloud'])
    expect(connection.destroyed).toBe(true)
    expect(doorkeeper.waitingCount).toBe(0)
  })

  it('a fault of the network is noted, and nothing of a guest is listened to any more', () => {
    const { receive, refused } = open()
    const connection = receive()
    connection.emit('error', new Error('reset'))
    expect(refused).toEqual(['reset'])
    connection.emit('data', greetingOn(connection))
    expect(connection.rawStream.listenerCount('data')).toBe(0)
    connection.emit('error', new Error('late'))
    expect(refused).toEqual(['reset', 'late'])
  })

  it('who says nothing goes after three seconds', () => {
    const { receive, refused } = open()
    const connection = receive()
    connection.emit('data', Buffer.alloc(0))
    vi.advanceTimersByTime(2_999)
    expect(connection.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(connection.destroyed).toBe(true)
    expect(refused).toEqual(['it does not greet'])
  })

  it('a long greeting is not waited for', () => {
    const { receive, refused } = open()
    const connection = receive()
    connection._len = MAX_GREETING_BYTES + 64
    connection.rawStream.emit('data', Buffer.alloc(1))
    expect(connection.destroyed).toBe(false)
    connection._len = MAX_GREETING_BYTES + 65
    connection.rawStream.emit('data', Buffer.alloc(1))
    expect(connection.destroyed).toBe(true)
    expect(refused).toEqual(['its greeting is too long'])
  })

  it('of one address only so many wait, and the oldest make room', () => {
    const { receive, doorkeeper } = open()
    const crowd = Array.from({ length: 40 }, () => receive('10.0.0.1'))
    const other = receive('10.0.0.2')
    expect(crowd.filter(({ destroyed }) => destroyed)).toEqual(crowd.slice(0, 8))
    expect(other.destroyed).toBe(false)
    expect(doorkeeper.waitingCount).toBe(33)
  })

  it('of all addresses, too', () => {
    const { receive, doorkeeper } = open()
    const crowd = Array.from({ length: 300 }, (_, at) => receive(`10.0.1.${at}`))
    expect(crowd.filter(({ destroyed }) => destroyed)).toEqual(crowd.slice(0, 44))
    expect(doorkeeper.waitingCount).toBe(256)
  })

  it('nobody is left, and nobody comes in, when the machine closes', () => {
    const { receive, doorkeeper } = open()
    const waiting = receive()
    doorkeeper.close()
    expect(waiting.destroyed).toBe(true)
    const late = receive()
    expect(late.destroyed).toBe(true)
    expect(late.written).toHaveLength(0)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('who must show what lets it in', () => {
  const pass: Pass = { kind: 'work', nonce: '7' }
  const guest = {
    machine: keyOf('other'),
    person: keyOf('person'),
    sequence: 1,
    address: '10.0.0.1',
  }

  it('is looked at with all that it shows, on this connection', () => {
    const faultOf = vi.fn<Admissions['faultOf']>(() => null)
    const { receive, greeted } = open({ faultOf })
    const connection = receive()
    connection.emit('data', greetingOn(connection, pass))
    const { handshakeHash } = connection
    expect(faultOf.mock.calls).toEqual([[pass, { ...guest, handshakeHash }, null]])
    expect(greeted).toHaveLength(1)
  })

  it('is told why it may not come in, and gets no further', () => {
    const { receive, greeted, refused, doorkeeper } = open({ faultOf: () => 'WORK_MISSING' })
    const connection = receive()
    connection.emit('data', greetingOn(connection))
    connection.emit('data', greetingOn(connection))
    expect(greeted).toEqual([])
    expect(refused).toEqual(['it may not come in: WORK_MISSING'])
    expect(connection.written.slice(1).map((bytes) => refusalCodec.decode(bytes))).toEqual([
      { kind: 'dharma/refusal/1', fault: 'WORK_MISSING' },
    ])
    expect(connection.ended).toBe(true)
    // It has time to hear that, within bounds, and is not noted twice.
    expect(connection.destroyed).toBe(false)
    expect(doorkeeper.waitingCount).toBe(1)
    vi.advanceTimersByTime(3_000)
    expect(connection.destroyed).toBe(true)
    expect(refused).toHaveLength(1)
  })

  it('is not kept while this machine has nothing to show it', () => {
    const lacksPass = vi.fn<Admissions['lacksPass']>(() => true)
    const { receive, greeted, refused } = open({ lacksPass })
    const connection = receive()
    connection.emit('data', greetingOn(connection))
    // The greeting does not tell how the cloud began.
    expect(lacksPass.mock.calls).toEqual([[null]])
    expect(greeted).toEqual([])
    expect(refused).toEqual(['this machine has nothing yet that lets it into the cloud'])
    expect(connection.destroyed).toBe(true)
  })

  it('is shown what this machine has for that connection', () => {
    const shown = vi.fn<Admissions['pass']>(() => pass)
    const { receive, greeted } = open({ pass: shown, lacksPass: () => true })
    const connection = receive()
    const { handshakeHash, publicKey } = connection
    expect(shown.mock.calls).toEqual([[handshakeHash]])
    const told = readGreeting(connection.written[0]!, {
      handshakeHash,
      publicKey,
      cloud: CLOUD,
      cloudKey,
    })
    expect(told).toMatchObject({ pass })
    connection.emit('data', greetingOn(connection))
    expect(greeted).toHaveLength(1)
  })

  it('that may not come in itself is not believed why this machine may not, and left alone', () => {
    const refused: string[] = []
    const turnedAway: string[] = []
    const { receive } = open(
      { faultOf: () => 'WORK_MISSING', refused: (fault) => refused.push(fault) },
      (machine) => void turnedAway.push(machine),
    )
    const connection = receive()
    connection.emit('data', greetingOn(connection))
    connection.emit('data', Buffer.from('{}'))
    expect(turnedAway).toEqual([])
    const other = receive()
    other.emit('data', greetingOn(other))
    const refusal = { kind: 'dharma/refusal/1', fault: 'MACHINE_REVOKED' } as const
    other.emit('data', refusalCodec.encode(refusal))
    expect(refused).toEqual([])
    expect(turnedAway).toHaveLength(1)
  })

  it('says of this machine first, if at all, that it may not come in', () => {
    const refused: string[] = []
    const { receive } = open({ refused: (fault) => refused.push(fault) })
    const refusal = refusalCodec.encode({ kind: 'dharma/refusal/1', fault: 'RELEASE_EXPIRED' })
    const first = receive()
    first.emit('data', greetingOn(first))
    first.emit('data', refusal)
    first.emit('data', refusal)
    expect(refused).toEqual(['RELEASE_EXPIRED'])
    const second = receive()
    second.emit('data', greetingOn(second))
    second.emit('data', Buffer.from('{}'))
    second.emit('data', refusal)
    expect(refused).toHaveLength(1)
  })
})

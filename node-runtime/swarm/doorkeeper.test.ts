import { EventEmitter } from 'node:events'
import type { SwarmConnection } from 'hyperswarm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { decodeKey } from '../core/keys.ts'
import { keyOf, keysOf, signTestEntry } from '../testing/entries.ts'
import { ADMIT_ALL, Doorkeeper } from './doorkeeper.ts'
import { MAX_GREETING_BYTES, writeGreeting } from './greeting.ts'

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

  constructor(address: string) {
    super()
    this.rawStream.remoteHost = address
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes)
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }
}

function open() {
  const refused: string[] = []
  const greeted: string[] = []
  const doorkeeper = new Doorkeeper({
    cloud: CLOUD,
    cloudKey,
    ownEntry: () => own,
    genesis: () => null,
    admissions: ADMIT_ALL,
    onGreeted: (_, { entry }) => greeted.push(entry.machine),
    onRefused: (reason) => refused.push(reason),
  })
  const receive = (address = '10.0.0.1'): FakeConnection => {
    const connection = new FakeConnection(address)
    doorkeeper.receive(connection as unknown as SwarmConnection)
    return connection
  }
  return { doorkeeper, receive, refused, greeted }
}

function greetingOn({ handshakeHash }: FakeConnection): Uint8Array {
  const entry = signTestEntry({ keys, cloud: CLOUD })
  const ends = { handshakeHash, publicKey: keys.publicKey, cloud: CLOUD, cloudKey }
  return writeGreeting(ends, { entry, genesis: null, pass: null })
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

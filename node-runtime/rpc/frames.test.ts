import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CloudError } from '../contract/errors.ts'
import { encodeRefusal, idOf, isAbort, readRequest, responsePort } from './frames.ts'
import type { Frame } from './frames.ts'
import type { RpcPort, WireMessage } from './port.ts'

/** What the reader makes of a frame, written as the other end writes it. */
function request(frame: unknown): Frame | null {
  return readRequest(JSON.stringify(frame))
}

describe('a request', () => {
  test('is reduced to its path and its body', () => {
    const payload = { u: '/db/get', b: { json: { id: 'a' } }, h: { x: '1' }, m: 'GET' }
    expect(request({ i: '7', p: payload, more: true })).toEqual({
      i: '7',
      p: { u: '/db/get', b: { json: { id: 'a' } } },
    })
    expect(isAbort(request({ i: '7', p: payload })!)).toBe(false)
  })

  test('may have no body', () => {
    expect(request({ i: '7', p: { u: '/' } })).toEqual({ i: '7', p: { u: '/', b: undefined } })
  })

  test('can be given up, whatever that frame holds beside', () => {
    const frame = request({ i: '7', t: 4, p: { u: '/x' } })
    expect(frame).toEqual({ i: '7', t: 4, p: undefined })
    expect(isAbort(frame!)).toBe(true)
  })

  test.each([
    ['no object', 7],
    ['nothing', null],
    ['a list', ['7']],
    ['no id', { p: { u: '/x' } }],
    ['an id that is no text', { i: 7, p: { u: '/x' } }],
    ['no payload', { i: '7' }],
    ['a payload that is nothing', { i: '7', p: null }],
    ['a payload that is a list', { i: '7', p: ['/x'] }],
    ['no path', { i: '7', p: { b: 1 } }],
    ['a path that is no text', { i: '7', p: { u: 7 } }],
    ['an address elsewhere', { i: '7', p: { u: 'http://elsewhere/x' } }],
    ['a path with its slash at the end', { i: '7', p: { u: 'x/' } }],
    ['an event of a stream', { i: '7', t: 3, p: { u: '/x' } }],
    ['another mark', { i: '7', t: 1, p: { u: '/x' } }],
  ])('is not %s', (_, frame) => {
    expect(request(frame)).toBeNull()
  })

  test.each([undefined, null, 7, new Uint8Array([123]), { i: '7', p: { u: '/x' } }])(
    'is text only: %s',
    (data) => expect(readRequest(data)).toBeNull(),
  )

  test('is null for what is no JSON, and reading never throws', () => {
    expect(readRequest('{')).toBeNull()
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.anything()), (data) => {
        const frame = readRequest(data)
        if (frame !== null) expect(typeof frame.i).toBe('string')
      }),
    )
  })
})

describe('the id of a frame that is not parsed', () => {
  test('is read from its beginning', () => {
    expect(idOf('{"i":"7","p":{"u":"/x"}}')).toBe('7')
    expect(idOf(`{"i":"${'9'.repeat(64)}"`)).toBe('9'.repeat(64))
  })

  test.each([
    ' {"i":"7"}',
    '{"p":1,"i":"7"}',
    '{"i":7}',
    '{"i":""}',
    '{"i":"7',
    '{"i":"\\"7"}',
    `{"i":"${'9'.repeat(65)}"}`,
    'x{"i":"7"}',
    '',
  ])('is null if it is written otherwise: %s', (text) => {
    expect(idOf(text)).toBeNull()
  })
})

test('a refusal is an error of its call', () => {
  const error = new CloudError('TOO_BUSY', 'Too many.', { limit: 3 })
  expect(JSON.parse(encodeRefusal('7', error))).toEqual({
    i: '7',
    p: {
      s: 503,
      b: {
        json: {
          defined: false,
          code: 'TOO_BUSY',
          status: 503,
          message: 'Too many.',
          data: { limit: 3 },
        },
      },
    },
  })
})

describe('the port of a client', () => {
  function open() {
    const listeners: [string, (event?: { data: WireMessage }) => void][] = []
    const sent: WireMessage[] = []
    const port: RpcPort = {
      postMessage: (message) => void sent.push(message),
      on: (event: string, listener: (event?: { data: WireMessage }) => void) =>
        void listeners.push([event, listener]),
    }
    const frames = responsePort(port)
    const got: (Frame | undefined)[] = []
    let closes = 0
    frames.on('message', (event) => got.push(event?.data))
    frames.on('close', () => closes++)
    const give = (name: string, data?: unknown): void => {
      for (const [event, listener] of listeners) {
        if (event === name) listener(data === undefined ? undefined : { data: data as string })
      }
    }
    return {
      frames,
      got,
      sent,
      closes: () => closes,
      close: () => give('close'),
      arrive: (frame: unknown) => give('message', JSON.stringify(frame)),
      arriveRaw: (data: unknown) => give('message', data),
    }
  }

  test.each([
    [
      'an answer',
      { i: '7', p: { b: { json: 1 } } },
      { s: undefined, h: undefined, b: { json: 1 } },
    ],
    ['an error', { i: '7', p: { s: 400, b: 1 } }, { s: 400, h: undefined, b: 1 }],
    [
      'the beginning of a stream',
      { i: '7', p: { h: { 'content-type': 'text/event-stream', x: '1' } } },
      { s: undefined, h: { 'content-type': 'text/event-stream' }, b: undefined },
    ],
    [
      'an answer with other headers',
      { i: '7', p: { h: { 'content-type': 'multipart/form-data' }, b: 1 } },
      { s: undefined, h: undefined, b: 1 },
    ],
    [
      'an answer with headers that are none',
      { i: '7', p: { h: 7, b: 1 } },
      { s: undefined, h: undefined, b: 1 },
    ],
  ])('gives %s', (_, frame, payload) => {
    const { arrive, got } = open()
    arrive(frame)
    expect(got).toEqual([{ i: '7', p: payload }])
  })

  test.each(['message', 'error', 'done'])('gives an event of a stream: %s', (kind) => {
    const { arrive, got } = open()
    arrive({ i: '7', t: 3, p: { e: kind, d: { json: 1 }, m: { x: 1 } } })
    expect(got).toEqual([{ i: '7', t: 3, p: { e: kind, d: { json: 1 } } }])
  })

  test('gives the end of what it sends', () => {
    const { arrive, got } = open()
    arrive({ i: '7', t: 4 })
    expect(got).toEqual([{ i: '7', t: 4, p: undefined }])
  })

  test.each([
    ['no payload', { i: '7' }],
    ['another kind of event', { i: '7', t: 3, p: { e: 'other' } }],
    ['an event without a kind', { i: '7', t: 3, p: { d: 1 } }],
    ['a kind that is no text', { i: '7', t: 3, p: { e: ['message'] } }],
    ['another mark', { i: '7', t: 1, p: { b: 1 } }],
    ['a status that is no number', { i: '7', p: { s: '200' } }],
    ['no id', { p: { b: 1 } }],
  ])('drops %s', (_, frame) => {
    const { arrive, got } = open()
    arrive(frame)
    expect(got).toEqual([])
  })

  test('drops what is no text, and events without data', () => {
    const { arriveRaw, got } = open()
    for (const data of [new Uint8Array([1]), '{', 7, undefined]) arriveRaw(data)
    expect(got).toEqual([])
  })

  test('sends until it closes, which it tells once', () => {
    const { frames, arrive, got, sent, close, closes } = open()
    frames.postMessage('a')
    expect(sent).toEqual(['a'])
    expect(closes()).toBe(0)
    close()
    close()
    expect(closes()).toBe(1)
    frames.postMessage('b')
    arrive({ i: '7', p: { b: 1 } })
    expect(sent).toEqual(['a'])
    expect(got).toEqual([])
  })

  test('tells all its listeners', () => {
    const { frames, arrive, got } = open()
    const others: unknown[] = []
    frames.on('message', (event) => others.push(event?.data))
    arrive({ i: '7', p: { b: 1 } })
    expect(others).toEqual(got)
    expect(others).toHaveLength(1)
  })
})

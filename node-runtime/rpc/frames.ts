// What may arrive on a port. The RPC library decodes whatever it gets and rejects into nowhere when
// that fails, which would end the process: so each message is checked here first, and one that is no
// frame is dropped. Its encoding of the frames is used as it is (keys `i`, `t`, `p`).
import type { CloudError } from '../contract/errors.ts'
import { listen } from './port.ts'
import type { AnyPort, WireMessage } from './port.ts'

/** The library's marks for what a frame is; a frame without one is a request or its response. */
const EVENT = 3
const ABORT = 4
/** As in HTTP; the library takes any from 400 for an error, and the code says more. */
const REFUSED_STATUS = 503
const EVENT_KINDS = ['message', 'error', 'done']

type Fields = Record<string, unknown>

/** A frame, reduced to what the contract uses: an id, what it is, and what it carries. */
export interface Frame {
  i: string
  t?: number
  p: { u?: string; [field: string]: unknown } | undefined
}

/** A port as the RPC library takes it, giving decoded frames. */
export interface FramePort {
  postMessage(message: WireMessage): void
  on(event: string, listener: (event?: { data: Frame }) => void): void
}

/** How both ends write a frame: its id first. Ids are short; ours are numbers. */
const ID = /^\{"i":"([^"\\]{1,64})"/

/** The id of a frame that is not parsed yet; null if it is not written as both ends write it. */
export function idOf(text: string): string | null {
  return ID.exec(text)?.[1] ?? null
}

/** Does the caller give up? */
export function isAbort({ t }: Frame): boolean {
  return t === ABORT
}

/** An answer that the library never hears of, in its encoding. */
export function encodeRefusal(id: string, { code, message, details }: CloudError): string {
  const error = { defined: false, code, status: REFUSED_STATUS, message, data: details }
  return JSON.stringify({ i: id, p: { s: REFUSED_STATUS, b: { json: error } } })
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Only text is a frame: no call of the contract carries binary data. */
function parse(data: unknown): { id: string; type: unknown; payload: unknown } | null {
  if (typeof data !== 'string') return null
  try {
    const frame: unknown = JSON.parse(data)
    if (!isFields(frame) || typeof frame['i'] !== 'string') return null
    return { id: frame['i'], type: frame['t'], payload: frame['p'] }
  } catch {
    return null
  }
}

/** A request or its cancellation, reduced to what the contract uses; null for anything else. */
export function readRequest(data: unknown): Frame | null {
  const frame = parse(data)
  if (frame === null) return null
  const { id, type, payload } = frame
  if (type === ABORT) return { i: id, t: ABORT, p: undefined }
  if (type !== undefined || !isFields(payload)) return null
  const { u: path, b: body } = payload
  if (typeof path !== 'string' || !path.startsWith('/')) return null
  return { i: id, p: { u: path, b: body } }
}

/** A response, an event of a stream or the end of one; null for anything else. */
function readResponse(data: unknown): Frame | null {
  const frame = parse(data)
  if (frame === null) return null
  const { id, type, payload } = frame
  if (type === ABORT) return { i: id, t: ABORT, p: undefined }
  if (!isFields(payload)) return null
  if (type === EVENT) {
    const { e: kind, d: event } = payload
    if (typeof kind !== 'string' || !EVENT_KINDS.includes(kind)) return null
    return { i: id, t: EVENT, p: { e: kind, d: event } }
  }
  if (type !== undefined) return null
  const { s: status, h: headers, b: body } = payload
  if (status !== undefined && typeof status !== 'number') return null
  const contentType = isFields(headers) ? headers['content-type'] : undefined
  const isStream = contentType === 'text/event-stream'
  return {
    i: id,
    p: { s: status, h: isStream ? { 'content-type': contentType } : undefined, b: body },
  }
}

/** For a client: the responses that arrive on `port`. */
export function responsePort(port: AnyPort): FramePort {
  const listeners = new Map<string, ((event?: { data: Frame }) => void)[]>()
  const emit = (event: string, frame?: { data: Frame }): void => {
    for (const listener of listeners.get(event) ?? []) listener(frame)
  }
  let closed = false
  listen(port, {
    message(data) {
      const frame = closed ? null : readResponse(data)
      if (frame !== null) emit('message', { data: frame })
    },
    close() {
      if (closed) return
      closed = true
      emit('close')
    },
  })
  return {
    postMessage(message) {
      if (!closed) port.postMessage(message as string)
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener])
    },
  }
}

// The cloud as a system sees it: the calls it may make, with its own key filled in.
import { connect } from '../../node-runtime/rpc/client.ts'
import type { AnyPort } from '../../node-runtime/rpc/port.ts'
import { createCollection } from './collection.ts'
import type { Collection } from './collection.ts'
import type { CloudLocation } from './location.ts'
import { follow } from './stream.ts'
import type { Disposer, OnError } from './stream.ts'
import { systemContract } from './system-contract.ts'
import type { SystemClient } from './system-contract.ts'
import type { CloudRecord, Json, ResultValue, ResultVerdict, SessionFrame } from './values.ts'

type Sessions = SystemClient['sessions']
type Input<C extends (...args: never[]) => unknown> = Omit<Parameters<C>[0], 'system'>
type Output<C extends (...args: never[]) => unknown> = Awaited<ReturnType<C>>

/** Everything that a system can do. Every failure is a CloudError; `code` says which. */
export interface Calls {
  /** The key of this system: its records and sessions name it. */
  readonly system: string
  /** Needs the permission `db`. */
  readonly db: {
    /** A collection of the manifest; `T` is the shape that its schema demands. */
    collection<T extends Json = Json>(name: string): Collection<T>
    /** Checks the signatures of a record, without any other knowledge. */
    verify(record: CloudRecord): Promise<Output<SystemClient['db']['verify']>>
  }
  /** Needs the permission `sessions`. */
  readonly sessions: {
    /** The hash of the installed rules of a kind: what all are to play by names it. */
    rules(kind: string): Promise<string>
    /** Takes the person's seat. The same descriptor gives the same session everywhere. */
    open(descriptor: Input<Sessions['open']>): Promise<Output<Sessions['open']>>
    /** Makes a move; resolves when it is on this machine's disk. */
    act(session: string, action: Json): Promise<Output<Sessions['act']>>
    /** Gives up, in turn or not. */
    resign(session: string): Promise<Output<Sessions['resign']>>
    /** Claims the session because the others have been silent for the session's time. */
    claim(session: string): Promise<Output<Sessions['claim']>>
    /** The newest sessions of this system that this machine knows, newest first. */
    list(query?: Input<Sessions['list']>): Promise<Output<Sessions['list']>['sessions']>
    /** The session now, and again after every action. */
    watch(session: string, onFrame: (frame: SessionFrame) => void, onError?: OnError): Disposer
    /** Checks a result from the first action to the last, by the rules it was played by. */
    verify(result: ResultValue): Promise<ResultVerdict>
    /** The same, and the positions from `fromPly` on, as many as go into one page. */
    replay(result: ResultValue, fromPly?: number): Promise<Output<Sessions['replay']>>
  }
  /** Needs the permission `identity`. */
  readonly identity: {
    /** Who the person at this machine is: key and chosen name. */
    whoami(): Promise<Output<SystemClient['identity']['whoami']>>
  }
}

/** What `connectToCloud` gives to a page. */
export interface Cloud extends Calls {
  readonly location: CloudLocation
  /** Called when the machine behind this page has gone: nothing works until a reload. */
  onClosed(listener: () => void): Disposer
}

/** The calls of `system` over a port that the runtime serves. */
export function createCalls(port: AnyPort, system: string): Calls {
  const client: SystemClient = connect(systemContract, port)
  return {
    system,
    db: {
      collection: (name) => createCollection(client, system, name),
      verify: (record) => client.db.verify({ record }),
    },
    sessions: {
      rules: async (kind) => (await client.sessions.rules({ system, kind })).rules,
      open: (descriptor) => client.sessions.open({ ...descriptor, system }),
      act: (session, action) => client.sessions.act({ session, action }),
      resign: (session) => client.sessions.resign({ session }),
      claim: (session) => client.sessions.claim({ session }),
      list: async (query = {}) => (await client.sessions.list({ ...query, system })).sessions,
      watch: (session, onFrame, onError = () => undefined) =>
        follow((signal) => client.sessions.watch({ session }, { signal }), onFrame, onError),
      verify: (result) => client.sessions.verify({ result }),
      replay: (result, fromPly = 0) => client.sessions.replay({ result, fromPly }),
    },
    identity: { whoami: () => client.identity.whoami({}) },
  }
}

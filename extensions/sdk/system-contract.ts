// The part of the contract that a system may call. A test keeps it equal to what the contract
// declares as `access: 'system'`.
import type { ContractRouterClient } from '@orpc/contract'
import { contract } from '../../node-runtime/contract/index.ts'

const { db, identity, sessions } = contract

/** The calls that the contract opens to systems, and no others. */
export const systemContract = {
  identity: { whoami: identity.whoami },
  db: {
    put: db.put,
    get: db.get,
    delete: db.delete,
    query: db.query,
    watch: db.watch,
    verify: db.verify,
  },
  sessions: {
    rules: sessions.rules,
    open: sessions.open,
    act: sessions.act,
    resign: sessions.resign,
    claim: sessions.claim,
    list: sessions.list,
    watch: sessions.watch,
    verify: sessions.verify,
    replay: sessions.replay,
  },
}

/** The client of a system's page: owner-only calls do not exist on it. */
export type SystemClient = ContractRouterClient<typeof systemContract>

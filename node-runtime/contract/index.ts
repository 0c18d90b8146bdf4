// The whole contract of the runtime: what can be called, by whom, with what, and what comes back.
import { cloudContract } from './cloud.ts'
import { dbContract } from './db.ts'
import { identityContract } from './identity.ts'
import { sessionsContract } from './sessions.ts'
import { systemsContract } from './systems.ts'

export const contract = {
  identity: identityContract,
  cloud: cloudContract,
  db: dbContract,
  systems: systemsContract,
  sessions: sessionsContract,
}
export type Contract = typeof contract

// The system that is no system: the runtime keeps records of its own under it. No repository can
// have its key, and none its id (see `RESERVED_SYSTEM_IDS`).
import { domainBytes, encodeKey, hash } from '../keys.ts'

export const BUILT_IN_SYSTEM = 'dharma'

export const BUILT_IN_SYSTEM_KEY = encodeKey(
  hash(domainBytes('dharma/system-key/1', 'built-in\ndharma')),
)

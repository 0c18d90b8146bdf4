// A bundle of rules that nobody runs, for tests of what is kept and passed on.
import { canonicalJson } from '../core/canonical.ts'
import { readBundle } from '../sandbox/rules-bundle.ts'

export const PLAIN_RULES = Buffer.from(
  canonicalJson({
    kind: 'rules',
    v: 1,
    engine: 'none',
    entry: 'rules.ts',
    limits: {},
    modules: { 'rules.ts': '' },
  }),
)
export const PLAIN_RULES_HASH = readBundle(PLAIN_RULES)?.hash ?? ''

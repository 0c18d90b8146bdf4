// What is broken in each part of mutation testing, and the tests that are to notice: those beside the
// code, and no others, which would take minutes for each mutant.

const ROOM = 'node-runtime'

/** The files of some folders below the core, and the tests beside them. */
function coreFolders(...folders) {
  return {
    mutate: [...folders.map((folder) => `${ROOM}/core/${folder}/**/*.ts`), '!**/*.test.ts'],
    tests: folders.map((folder) => `${ROOM}/core/${folder}/**/*.test.ts`),
  }
}

const forms = coreFolders('db', 'forms')

/** @type {Record<string, { mutate: string[], tests: string[] }>} */
export const MUTATION_PARTS = {
  rpc: {
    mutate: [`${ROOM}/rpc/{caller,fair-share,frames}.ts`],
    tests: [`${ROOM}/rpc/{caller,fair-share,frames}.test.ts`],
  },
  // What a record is, whose it is and which of two wins.
  'core-db': {
    mutate: [`${ROOM}/core/{budget,canonical,keys,text}.ts`, ...forms.mutate],
    tests: [`${ROOM}/core/*.test.ts`, `${ROOM}/core/fixtures/*.test.ts`, ...forms.tests],
  },
  // Who is let in, and what an admitted machine may send.
  swarm: {
    mutate: [`${ROOM}/swarm/{doorkeeper,greeting,hypercore-guard}.ts`],
    // Without those over a real Hypercore, which take seconds.
    tests: [`${ROOM}/swarm/{doorkeeper,greeting,hypercore-guard-decisions}.test.ts`],
  },
  'core-membership': coreFolders('membership', 'finding'),
  'core-systems': coreFolders('systems'),
  'core-sessions': coreFolders('sessions'),
  'core-sync': coreFolders('sync'),
}

/** The part that this process is about. */
export function presentPart() {
  const name = process.env['DHARMA_MUTATION_PART'] ?? 'rpc'
  const part = MUTATION_PARTS[name]
  if (part === undefined) throw new Error(`There is no part "${name}".`)
  return { name, ...part }
}

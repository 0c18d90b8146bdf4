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

/** Some files of a folder below the core, and the tests of those names beside them. */
function coreFiles(folder, files, tests) {
  const list = (names, end) => [`${ROOM}/core/${folder}/{${names.join()}}${end}`]
  return {
    mutate: [...list(files, '.ts'), '!**/*.test.ts'],
    tests: list(tests, '.test.ts'),
  }
}

const forms = coreFolders('db', 'forms')
const admission = coreFolders('admission')
const machines = coreFolders('membership', 'finding')

/** @type {Record<string, { mutate: string[], tests: string[], without?: string[] }>} */
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
  // Who may come into the cloud.
  'core-admission': {
    ...admission,
    tests: [...admission.tests, `${ROOM}/core/fixtures/admission-v1.test.ts`],
  },
  // What is relayed for whom, and through whom to go.
  'core-relay': coreFolders('relay'),
  // Who stands beside whom, what one says to all, whose turn it is.
  'core-rings': coreFolders('rings', 'broadcast', 'ring-token'),
  'core-membership': {
    ...machines,
    tests: [...machines.tests, `${ROOM}/core/fixtures/forms-v1.test.ts`],
  },
  'core-systems': coreFolders('systems'),
  // Who may act, what counts, who is to blame.
  'core-sessions': {
    mutate: [`${ROOM}/core/sessions/*.ts`, `!${ROOM}/core/sessions/audience*.ts`, '!**/*.test.ts'],
    tests: [`${ROOM}/core/sessions/!(audience*).test.ts`],
    without: ['play 900 actions'],
  },
  // Who shows whom a game.
  'core-sessions-audience': {
    mutate: [`${ROOM}/core/sessions/audience*.ts`, '!**/*.test.ts'],
    tests: [`${ROOM}/core/sessions/audience*.test.ts`],
  },
  // Bytes, places, ranges and sums.
  'core-sync-forms': {
    ...coreFiles(
      'sync',
      ['wire', 'messages', 'reconcile-messages', 'ranges', 'item', 'fingerprint*'],
      ['wire', 'messages', 'ranges', 'item', 'fingerprint*'],
    ),
    without: ['holds a million records in 60 MB, also when they came one by one'],
  },
  // Who lacks what.
  'core-sync-comparing': {
    ...coreFiles(
      'sync',
      ['comparison', 'reconcile', 'reconciliation', 'runs'],
      ['reconcile*', 'runs'],
    ),
    without: [
      'one of them empty: nothing is listed, all is handed over',
      'of a million: 400 bytes if equal, 12 bytes for each recent difference',
    ],
  },
  // What is sent to whom, and who is in step.
  'core-sync': {
    ...coreFiles(
      'sync',
      ['healing', 'intake', 'outbox', 'peer', 'pushing', 'replication-core', 'segments'],
      ['healing', 'intake', 'outbox', 'peer', 'pushing', 'replication-*', 'segments'],
    ),
    without: [
      'that lack much are offered segments, and a wrong one harms nobody',
      'offers no more than fit in a message: the oldest, since what is newer changes more',
    ],
  },
}

/** The part that this process is about. */
export function presentPart() {
  const name = process.env['DHARMA_MUTATION_PART'] ?? 'rpc'
  const part = MUTATION_PARTS[name]
  if (part === undefined) throw new Error(`There is no part "${name}".`)
  return { name, without: [], ...part }
}

// What is broken in each part of mutation testing, and the tests that are to notice: those beside the
// code, and no others, which would take minutes for each mutant.

/** @type {Record<string, { mutate: string[], tests: string[] }>} */
export const MUTATION_PARTS = {
  rpc: {
    mutate: ['node-runtime/rpc/{caller,fair-share,frames}.ts'],
    tests: ['node-runtime/rpc/{caller,fair-share,frames}.test.ts'],
  },
  core: {
    mutate: ['node-runtime/core/**/*.ts', '!**/*.test.ts'],
    tests: ['node-runtime/core/**/*.test.ts'],
  },
  swarm: {
    mutate: ['node-runtime/swarm/*admission*.ts', '!**/*.test.ts'],
    tests: ['node-runtime/swarm/*admission*.test.ts'],
  },
}

/** The part that this process is about. */
export function presentPart() {
  const name = process.env['DHARMA_MUTATION_PART'] ?? 'rpc'
  const part = MUTATION_PARTS[name]
  if (part === undefined) throw new Error(`There is no part "${name}".`)
  return { name, ...part }
}

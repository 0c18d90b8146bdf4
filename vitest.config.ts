// Unit and integration tests, beside the code they test.
import path from 'node:path'
import { defineConfig } from 'vitest/config'

const ROOT = import.meta.dirname

export default defineConfig({
  resolve: {
    alias: {
      // What the host serves to the pages of systems.
      '/.dharma/sdk.js': path.join(ROOT, 'extensions/sdk/index.ts'),
      '/.dharma/lit.js': path.join(ROOT, 'extensions/sdk/lit.ts'),
    },
  },
  test: {
    include: ['{build,electron,extensions,node-runtime,renderer}/**/*.test.{ts,tsx}'],
    // Native modules and real networks: a process of its own for each file.
    pool: 'forks',
    // As many at once as there are processors: most tests wait for networks and disks.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})

// The tests that mutation testing runs.
import { defineConfig } from 'vitest/config'
import { keepThreads } from './mutation-pool.mjs'
import { presentPart } from './mutation-parts.mjs'

export default defineConfig({
  plugins: [keepThreads()],
  test: {
    include: presentPart().tests,
    setupFiles: ['build/mutation-runs.mjs'],
    testTimeout: 30_000,
    // All files of a run share what they load.
    isolate: false,
  },
})

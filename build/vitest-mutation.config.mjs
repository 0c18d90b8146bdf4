// The tests that mutation testing runs.
import { defineConfig } from 'vitest/config'
import { presentPart } from './mutation-parts.mjs'

export default defineConfig({
  test: {
    include: presentPart().tests,
    setupFiles: ['build/mutation-runs.mjs'],
    testTimeout: 30_000,
  },
})

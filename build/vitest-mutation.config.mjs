// The tests that mutation testing runs.
import { defineConfig } from 'vitest/config'
import { presentPart } from './mutation-parts.mjs'

export default defineConfig({
  test: { include: presentPart().tests, testTimeout: 30_000 },
})

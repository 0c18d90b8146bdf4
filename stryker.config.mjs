// For `npm run mutate`; see docs/testing.md.
import { presentPart } from './build/mutation-parts.mjs'

const { name, mutate } = presentPart()

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  mutate,
  vitest: { configFile: 'build/vitest-mutation.config.mjs', related: false },
  coverageAnalysis: 'perTest',
  // There is no such file: Stryker would rewrite the real one with an API that TypeScript 7 has not,
  // and vitest does not read it.
  tsconfigFile: 'no-tsconfig.json',
  ignorePatterns: ['dist', 'out', 'docs', 'test-results', 'playwright-report'],
  tempDirName: `out/mutation/${name}-sandbox`,
  reporters: ['clear-text', 'progress-append-only', 'html', 'json'],
  htmlReporter: { fileName: `out/mutation/${name}.html` },
  jsonReporter: { fileName: `out/mutation/${name}.json` },
  clearTextReporter: { allowColor: false, reportTests: false, logTests: false },
  allowConsoleColors: false,
  concurrency: 2,
  // Long, for a machine that has other things to do: a mutant that hangs is mostly noticed by its hits.
  timeoutMS: 12_000,
  thresholds: { high: 95, low: 85, break: 85 },
}

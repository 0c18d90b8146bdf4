// `npm run mutate`: breaks the code that guards, one place at a time, and sees whether a test goes red.
// See docs/testing.md.

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  mutate: [
    'node-runtime/core/**/*.ts',
    'node-runtime/rpc/{caller,fair-share,frames,traffic}.ts',
    'node-runtime/swarm/*admission*.ts',
    '!**/*.test.ts',
  ],
  vitest: { configFile: 'vitest.config.ts', related: true },
  coverageAnalysis: 'perTest',
  // There is no such file: Stryker would rewrite the real one with an API that TypeScript 7 has not,
  // and vitest does not read it.
  tsconfigFile: 'no-tsconfig.json',
  ignorePatterns: ['dist', 'out', 'docs', 'test-results', 'playwright-report'],
  tempDirName: 'out/mutation/sandbox',
  reporters: ['clear-text', 'html', 'json'],
  htmlReporter: { fileName: 'out/mutation/report.html' },
  jsonReporter: { fileName: 'out/mutation/report.json' },
  clearTextReporter: { allowColor: false, reportTests: false, logTests: false },
  concurrency: 2,
  timeoutMS: 10_000,
  thresholds: { high: 95, low: 85, break: 85 },
}

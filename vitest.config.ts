import {availableParallelism} from 'node:os'
import {defineConfig} from 'vitest/config'
import {BaseSequencer, type TestSpecification} from 'vitest/node'

/** The layers of tests, fastest first. docs/architecture.md says what each one is for. */
const project = (name: string, include: string[], extra: object = {}) => ({
  test: {
    name,
    include,
    setupFiles: ['test/support/as-a-user.ts'],
    disableConsoleIntercept: true,
    // What tests load as plugins is loaded by Node itself, as it is for users.
    server: {deps: {external: [/\/streamtool-test-/, /\/test\/fixtures\/processors\//]}},
    ...extra,
  },
})

/** Whatever waits for processes and sessions begins at once, so that nobody waits for it alone at the end. */
const LONGEST = [
  'e2e/crash.test.ts',
  'e2e/plugins.test.ts',
  'contract/kafka/sandbox.test.ts',
  'e2e/cli-contract.test.ts',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({moduleId}: TestSpecification) => LONGEST.some((name) => moduleId.endsWith(name))
    const others = await super.sort(files.filter((file) => !isLong(file)))
    return [...files.filter(isLong), ...others]
  }
}

export default defineConfig({
  test: {
    sequence: {sequencer: LongestFirst},
    // One more than there are cores: some files wait for a broker's patience, or for processes of their own.
    maxWorkers: availableParallelism() + 1,
    projects: [
      project('unit', ['test/unit/**/*.test.ts'], {testTimeout: 60_000}),
      project('property', ['test/property/**/*.test.ts'], {testTimeout: 60_000}),
      project('contract', ['test/contract/**/*.test.ts'], {testTimeout: 60_000, hookTimeout: 60_000}),
      project('integration', ['test/integration/**/*.test.ts'], {testTimeout: 60_000, hookTimeout: 60_000}),
      project('e2e', ['test/e2e/**/*.test.ts'], {testTimeout: 120_000, hookTimeout: 120_000}),
      project('real', ['test/real/**/*.test.ts'], {
        testTimeout: 600_000,
        hookTimeout: 300_000,
        fileParallelism: false,
      }),
    ],
  },
})

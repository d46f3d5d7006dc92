/** The demo is the first thing that anybody runs: odd names, deep trees, and a file of more than 256 MiB. */
import {fileURLToPath} from 'node:url'
import {expect, it} from 'vitest'
import {run} from '../support/processes.js'

const DEMO = fileURLToPath(new URL('../../demo/run.mjs', import.meta.url))

it('sends varied files through the sandbox, and gets them back identical, also from a bucket', async () => {
  const env = {...process.env, STREAMTOOL_BROKERS: ''}
  const {exitCode, stdout} = await run(process.execPath, [DEMO], {env})
  expect(stdout).toMatch(/\d+ files, [\d.]+ MiB: identical\./)
  expect(stdout).toMatch(/\d+ objects, [\d.]+ MiB: identical\./)
  expect(exitCode).toBe(0)
}, 240_000)

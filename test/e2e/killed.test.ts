/** A `reconstruct` that is killed at any moment loses nothing and repeats nothing. */
import {spawn} from 'node:child_process'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, expect, it} from 'vitest'
import {streamtoolJson} from '../support/cli.js'
import {reconstructUnderFire} from '../support/killed-reconstruct.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {readTree, writeLargeFile, writeSmallFiles} from '../support/trees.js'

const newDirectory = temporaryDirectories()
const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
let env: NodeJS.ProcessEnv
let stopSandbox: () => Promise<void>

beforeAll(async () => {
  const directory = await newDirectory()
  const child = spawn(process.execPath, [BIN, 'sandbox', '--dir', directory, '--kafka-port', '0'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  stopSandbox = () =>
    new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.kill('SIGTERM')
    })
  for await (const line of createInterface({input: child.stdout})) {
    const brokers = /STREAMTOOL_BROKERS=(\S+)/.exec(line)?.[1]
    if (brokers === undefined) continue
    env = {...process.env, STREAMTOOL_BROKERS: brokers, STREAMTOOL_STATE_DIR: await newDirectory()}
    return
  }
})
afterAll(() => stopSandbox())

it('twenty kills in a row: every file there, identical, and none delivered again', async () => {
  const [input, output] = [await newDirectory(), await newDirectory()]
  await writeSmallFiles(input, 400)
  await writeLargeFile(join(input, 'large.raw'), 32 << 20)
  await streamtoolJson(['upload', input, '--topic', 'killed'], {env})

  const {delivered, working, last} = await reconstructUnderFire(
    ['--topic', 'killed', '--output', output],
    env,
    20,
  )

  expect(working, 'runs that were killed at work').toBeGreaterThanOrEqual(15)
  expect(await readTree(output)).toEqual(await readTree(input))
  expect(last.files).toMatchObject({failed: 0, open: 0, incomplete: 0})
  const twice = [...delivered].filter(([, times]) => times > 1)
  expect(twice, 'delivered twice').toEqual([])
}, 300_000)

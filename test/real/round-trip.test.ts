/** What the sandbox shows in the test command, on Apache Kafka: varied files, and twenty kills in a row. */
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {streamtoolJson} from '../support/cli.js'
import {reconstructUnderFire} from '../support/killed-reconstruct.js'
import {run} from '../support/processes.js'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {readTree, writeLargeFile, writeSmallFiles} from '../support/trees.js'

const DEMO = fileURLToPath(new URL('../../demo/run.mjs', import.meta.url))
const newDirectory = temporaryDirectories()

describe('on Apache Kafka', () => {
  let kafka: RealKafka
  beforeAll(async () => {
    kafka = await startRealKafka()
  })
  afterAll(() => kafka.close())

  it('varied files come back identical', async () => {
    const {exitCode, stdout} = await run(process.execPath, [DEMO, '--brokers', kafka.bootstrap])
    expect(stdout).toMatch(/\d+ files, [\d.]+ MiB: identical\./)
    expect(exitCode).toBe(0)
  })

  it('twenty kills in a row: every file there, identical, and none delivered again', async () => {
    const [input, output] = [await newDirectory(), await newDirectory()]
    const env = {
      ...process.env,
      STREAMTOOL_BROKERS: kafka.bootstrap,
      STREAMTOOL_STATE_DIR: await newDirectory(),
    }
    await writeSmallFiles(input, 3000)
    await writeLargeFile(join(input, 'large.raw'), 96 << 20)
    await streamtoolJson(['upload', input, '--topic', 'killed'], {env})

    const {delivered, working, last} = await reconstructUnderFire(
      ['--topic', 'killed', '--output', output],
      env,
      20,
    )

    expect(working, 'runs that were killed at work').toBeGreaterThanOrEqual(15)
    expect(await readTree(output)).toEqual(await readTree(input))
    expect(last.files).toMatchObject({failed: 0, open: 0, incomplete: 0})
    expect([...delivered].filter(([, times]) => times > 1)).toEqual([])
  })
})

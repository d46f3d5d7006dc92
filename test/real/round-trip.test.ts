/** What the demo shows on the sandbox, on Apache Kafka. */
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {run} from '../support/processes.js'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'

const DEMO = fileURLToPath(new URL('../../demo/run.mjs', import.meta.url))

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
})

/** Files that are being processed when the process dies, on Apache Kafka; test/e2e/process-crash.test.ts says more. */
import {afterAll, beforeAll, it} from 'vitest'
import {expectEachProcessed, processingKilledInARow} from '../support/crash/processing.js'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'

let kafka: RealKafka
beforeAll(async () => {
  kafka = await startRealKafka()
})
afterAll(() => kafka.close())

it('by kills before and after the processor, around commits, and at moments', async () => {
  expectEachProcessed(
    await processingKilledInARow({
      bootstrap: kafka.bootstrap,
      topic: 'processed',
      files: 300,
      fates: [
        {step: 'before-plugin', nth: 1},
        {step: 'after-plugin', nth: 1},
        {step: 'before-plugin', nth: 30},
        {step: 'after-plugin', nth: 25},
        {step: 'after-plugin', nth: 12},
        // By then the others are through.
        {step: 'before-commit', nth: 1},
        {step: 'after-commit', nth: 1},
      ],
      momentsMs: [0, 40, 200, 500],
    }),
  )
})

it('by crashes of isolated processors, which are the failure of one attempt', async () => {
  expectEachProcessed(
    await processingKilledInARow({
      bootstrap: kafka.bootstrap,
      topic: 'isolated',
      files: 60,
      fates: [
        {step: 'after-plugin', nth: 4},
        {step: 'before-plugin', nth: 9},
      ],
      momentsMs: [150, 400],
      args: ['--isolate', 'process', '--crash-once'],
    }),
  )
})

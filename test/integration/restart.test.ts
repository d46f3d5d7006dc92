/** Starting again, through the whole pipeline, when much was done above an offset that stays open. */
import {expect, it} from 'vitest'
import {chunkedFile, manyChunkedFiles, produceRounds} from '../support/crash/open-files.js'
import {deliver, kafkaWith, RecordingReporter, SharedStore, StoreDestination} from '../support/delivery.js'

const FILES = 20_000

it(`${FILES} files above one that stays incomplete are known by the next start, in one run of the map`, async () => {
  const kafka = await kafkaWith(1)
  const old = chunkedFile('old.raw', Buffer.alloc(3000), 1000)
  const small = manyChunkedFiles('small', {count: FILES, chunks: 1, chunkBytes: 100})
  const onTopic = {topic: 't', partitions: 1, chunks: [1]}
  await produceRounds(kafka.producer(), [old], onTopic)
  await produceRounds(kafka.producer(), small, onTopic)

  const store = new SharedStore()
  const options = {commitFiles: 1000}
  await deliver({kafka, destination: new StoreDestination(store), options})
  expect(store.deliveries).toHaveLength(FILES)

  const reporter = new RecordingReporter()
  const startedAt = performance.now()
  const {report} = await deliver({kafka, destination: new StoreDestination(store), options, reporter})
  console.log(
    `restart beside ${FILES} delivered files: ${report.records} records read again, ` +
      `${(performance.now() - startedAt).toFixed(0)} ms`,
  )
  expect(store.deliveries).toHaveLength(FILES)
  expect(report.records).toBeLessThan(FILES / 10)
  expect(report.files).toMatchObject({delivered: 0, incomplete: 1})
})

/** What uploaders of files have lost, case by case; the letters are those of docs/hazards.md. */
import {describe, expect, it} from 'vitest'
import {createMemoryFileSource} from '../../../src/adapters/memory/memory-file-source.js'
import type {RecordProducer} from '../../../src/core/ports/index.js'
import {sendFiles} from '../../../src/pipelines/send-files.js'
import {realClock, RecordingReporter, silentLogger} from '../../support/delivery.js'
import {deferred} from '../../support/eventually.js'
import {noSteps} from '../../support/quiet.js'
import {text, TopicForTest} from '../../support/topic.js'

async function setUp(files: Record<string, Buffer> = {}) {
  const topic = await TopicForTest.with(2)
  const source = createMemoryFileSource(files)
  const upload = (producer: RecordProducer = topic.kafka.producer(), signal = new AbortController().signal) =>
    sendFiles(
      {
        command: 'upload',
        topic: 't',
        chunkBytes: 10,
        wireFormat: 'openmsistream',
        inFlightBytes: 1 << 20,
        metadata: {},
      },
      {
        source,
        admin: topic.kafka.admin(),
        producer,
        clock: {...realClock, sleep: () => Promise.resolve()},
        logger: silentLogger,
        reporter: new RecordingReporter(),
        steps: noSteps,
      },
      signal,
    )
  return {topic, source, upload}
}

describe('OpenMSIStream', () => {
  it('D: an empty file arrives, and again when it has been filled', async () => {
    const {topic, source, upload} = await setUp({'late.dat': text(0)})
    await upload()
    await topic.run()
    expect(topic.store.content('late.dat')).toBe('')
    source.put('late.dat', text(25))
    await upload()
    await topic.run()
    expect(topic.store.content('late.dat')).toBe('a'.repeat(25))
  })

  it('E: a file that changes between hashing and sending is sent anew, and what was sent before holds nothing up', async () => {
    const {topic, source, upload} = await setUp({changing: text(45, 'o')})
    const producer = topic.kafka.producer()
    let sends = 0
    const {report, exitCode} = await upload({
      ...producer,
      send: (batch, signal) => {
        if (sends++ === 0) source.put('changing', text(35, 'n'), 1_700_000_001_000)
        return producer.send(batch, signal)
      },
    })
    expect({exitCode, ...report.files}).toMatchObject({exitCode: 0, uploaded: 1, failed: 0})
    const delivered = await topic.run()
    expect(delivered.report.files.incomplete).toBe(0)
    expect(topic.store.content('changing')).toBe('n'.repeat(35))
    // A later change is not kicked back.
    source.put('changing', text(15, 'z'), 1_700_000_002_000)
    await upload()
    await topic.run()
    expect(topic.store.content('changing')).toBe('z'.repeat(15))
  })

  it('F: an upload stopped before its first acknowledgement has uploaded nothing, says so, and sends all when it is run again', async () => {
    const {topic, upload} = await setUp({a: text(25), 'sub/b': text(5)})
    const stop = new AbortController()
    const asked = deferred()
    const silent: RecordProducer = {
      ...topic.kafka.producer(),
      send: (_, signal) => {
        asked.resolve()
        return new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason as Error), {once: true}),
        )
      },
    }
    const running = upload(silent, stop.signal)
    await asked.promise
    stop.abort()
    expect(await running).toMatchObject({exitCode: 130, report: {interrupted: true, files: {uploaded: 0}}})
    await upload()
    await topic.run()
    expect([...topic.store.files.keys()].sort()).toEqual(['a', 'sub/b'])
  })

  it('F: a file that changed while nothing was running is sent as it is now', async () => {
    const {topic, source, upload} = await setUp({a: text(25, 'o')})
    await upload()
    source.put('a', text(12, 'n'))
    await upload()
    await topic.run()
    expect(topic.store.content('a')).toBe('n'.repeat(12))
  })

  it('G: an upload that was cut off and is run again after the file changed mixes nothing', async () => {
    const {topic, source, upload} = await setUp({a: text(45, 'o')})
    const producer = topic.kafka.producer()
    const stop = new AbortController()
    await upload(
      {
        ...producer,
        send: async (batch, signal) => {
          const sent = await producer.send({...batch, records: batch.records.slice(0, 1)}, signal)
          stop.abort()
          return sent
        },
      },
      stop.signal,
    )
    source.put('a', text(35, 'n'))
    await upload()
    const {report} = await topic.run()
    expect(topic.store.content('a')).toBe('n'.repeat(35))
    expect(report.files).toMatchObject({incomplete: 0, superseded: 1})
  })
})

describe('kafkajs', () => {
  it('produce of which the answer is lost is sent again, and the file arrives once', async () => {
    const {topic, upload} = await setUp({a: text(25)})
    topic.kafka.failNext('produce', 'duplicated', {times: 2})
    await upload()
    await topic.run()
    expect(topic.store.deliveries).toEqual(['a'])
  })
})

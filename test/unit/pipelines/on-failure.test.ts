/** What becomes of a file that its destination does not take. */
import {describe, expect, it} from 'vitest'
import {StreamtoolError, type ErrorCode} from '../../../src/core/errors.js'
import type {Destination, FileWriter, IncomingFile} from '../../../src/core/ports/index.js'
import {recordsOf} from '../../support/chunks.js'
import {deliver, kafkaWith, RecordingReporter, SharedStore, StoreDestination} from '../../support/delivery.js'
import {deferred, eventually} from '../../support/eventually.js'

const content = Buffer.alloc(3 * 1024, 'x')

async function topicWith(...paths: string[]) {
  const kafka = await kafkaWith(1)
  for (const path of paths)
    await kafka.producer().send({topic: 't', partition: 0, records: recordsOf({path, content})})
  return kafka
}

/** Takes what `refuses` does not throw for. */
function choosy(store: SharedStore, refuses: (file: IncomingFile) => void | Promise<void>): Destination {
  const inner = new StoreDestination(store)
  return {
    recall: () => inner.recall(),
    close: () => inner.close(),
    open: async (file): Promise<FileWriter> => {
      const writer = await inner.open(file)
      return {
        write: (data) => writer.write(data),
        discard: () => writer.discard(),
        finish: async (sizeBytes) => {
          await refuses(file)
          return writer.finish(sizeBytes)
        },
      }
    },
  }
}

function refusing(path: string, code: ErrorCode, times = Infinity) {
  let left = times
  return (file: IncomingFile) => {
    if (file.path === path && left-- > 0) throw new StreamtoolError(code, `${path} is not taken.`)
  }
}

const committed = async (kafka: Awaited<ReturnType<typeof topicWith>>) =>
  (await kafka.admin().committedOffsets('g', 't')).map(({offset}) => offset)

describe('a file that its destination does not take', () => {
  it('is held, and the others go on', async () => {
    const [kafka, store] = [await topicWith('a', 'b', 'c'), new SharedStore()]
    const destination = choosy(store, refusing('b', 'PROCESSING_FAILED'))
    const {report, exitCode} = await deliver({kafka, destination})
    expect([exitCode, store.deliveries, await committed(kafka)]).toEqual([4, ['a', 'c'], [3]])
    expect(report.problems).toMatchObject([{path: 'b', outcome: 'held', reason: 'b is not taken.'}])
  })

  it('is tried again after a while, when the user wants so, and is no problem once it is delivered', async () => {
    const [kafka, store, reporter] = [
      await topicWith('a', 'b', 'c'),
      new SharedStore(),
      new RecordingReporter(),
    ]
    const stop = new AbortController()
    const running = deliver({
      kafka,
      destination: choosy(store, refusing('b', 'PROCESSING_FAILED', 2)),
      options: {once: false, retryHeldMs: 5},
      reporter,
      signal: stop.signal,
    })
    await eventually('b is delivered', () => store.deliveries.includes('b'))
    stop.abort()
    const {report} = await running
    expect(report.problems).toEqual([])
    expect([report.files.delivered, await committed(kafka)]).toEqual([3, [9]])
    expect(reporter.paths('file.held')).toEqual(['b', 'b'])
  })

  it('goes to the dead-letter topic, when the user wants so, and the group goes on behind it', async () => {
    const [kafka, store] = [await topicWith('a', 'b', 'c'), new SharedStore()]
    await kafka.admin().createTopic('dead', {partitions: 1})
    const destination = choosy(store, refusing('b', 'PROCESSING_FAILED'))
    const options = {onFailure: 'dead-letter', deadLetterTopic: 'dead'} as const
    const {report, exitCode} = await deliver({kafka, destination, options})
    expect([exitCode, await committed(kafka)]).toEqual([4, [9]])
    expect(report).toMatchObject({
      files: {delivered: 2, parked: 1, held: 0},
      problems: [{path: 'b', outcome: 'parked', code: 'PROCESSING_FAILED', reason: 'b is not taken.'}],
    })
    expect(await kafka.admin().partitionRanges('dead')).toMatchObject([{end: 1}])
  })

  it('ends the run, when the user wants so, also one that runs until stopped', async () => {
    const [kafka, store] = [await topicWith('a', 'b'), new SharedStore()]
    const destination = choosy(store, refusing('b', 'PROCESSING_FAILED'))
    const {report, exitCode} = await deliver({kafka, destination, options: {once: false, onFailure: 'stop'}})
    expect([exitCode, await committed(kafka)]).toEqual([4, [3]])
    expect(report.problems).toMatchObject([{path: 'b', outcome: 'held'}])
  })
})

describe('a failure that no file can escape', () => {
  it('ends the run with that error, and leaves the file open', async () => {
    const [kafka, store] = [await topicWith('a', 'b'), new SharedStore()]
    const destination = choosy(store, refusing('b', 'PLUGIN_SETUP_FAILED'))
    await expect(deliver({kafka, destination, options: {once: false}})).rejects.toMatchObject({
      code: 'PLUGIN_SETUP_FAILED',
    })
    expect([store.deliveries, await committed(kafka)]).toEqual([['a'], [3]])
  })
})

describe('a stop', () => {
  it('waits for the file that is being finished, and begins no other', async () => {
    const [kafka, store] = [await topicWith('a', 'b', 'c'), new SharedStore()]
    const [begun, gate, stop] = [deferred(), deferred(), new AbortController()]
    const destination = choosy(store, async () => {
      begun.resolve()
      await gate.promise
    })
    const running = deliver({
      kafka,
      destination,
      options: {once: false, concurrency: 1, stopDrainMs: 60_000},
      signal: stop.signal,
    })
    await begun.promise
    stop.abort()
    setTimeout(() => gate.resolve(), 20)
    const {report} = await running
    expect([store.deliveries, report.files.delivered, await committed(kafka)]).toEqual([['a'], 1, [3]])
  })

  it('waits no longer than it may', async () => {
    const [kafka, store] = [await topicWith('a'), new SharedStore()]
    const [begun, gate, stop] = [deferred(), deferred(), new AbortController()]
    const destination = choosy(store, async () => {
      begun.resolve()
      await gate.promise
      throw new StreamtoolError('INTERRUPTED', 'Too late.')
    })
    const running = deliver({
      kafka,
      destination,
      options: {once: false, stopDrainMs: 10},
      signal: stop.signal,
    })
    await begun.promise
    stop.abort()
    setTimeout(() => gate.resolve(), 200)
    const {report, exitCode} = await running
    expect([report.files.delivered, exitCode, await committed(kafka)]).toEqual([0, 0, [0]])
  })
})

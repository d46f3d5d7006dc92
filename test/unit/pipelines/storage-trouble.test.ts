/** What becomes of files whose destination loses them, or keeps them waiting. */
import {describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../../src/core/errors.js'
import type {Destination, FileWriter} from '../../../src/core/ports/index.js'
import {recordsOf} from '../../support/chunks.js'
import {deliver, kafkaWith, RecordingReporter, SharedStore, StoreDestination} from '../../support/delivery.js'
import {eventually} from '../../support/eventually.js'

const CHUNKS = 3
const content = Buffer.alloc(CHUNKS * 1024, 'x')

async function topicWithOneFile() {
  const kafka = await kafkaWith(1)
  await kafka.producer().send({topic: 't', partition: 0, records: recordsOf({path: 'f', content})})
  return kafka
}

/** Loses what was written, so many times. */
function losing(store: SharedStore, times: number): {destination: Destination; losses: () => number} {
  const inner = new StoreDestination(store)
  let losses = 0
  return {
    losses: () => losses,
    destination: {
      recall: () => inner.recall(),
      close: () => inner.close(),
      open: async (file): Promise<FileWriter> => {
        const writer = await inner.open(file)
        return {
          write: (data) => writer.write(data),
          discard: () => writer.discard(),
          finish: (sizeBytes) => {
            if (losses >= times) return writer.finish(sizeBytes)
            losses += 1
            return Promise.reject(
              new StreamtoolError('STORAGE_FAILED', 'The disk did not take what was written.'),
            )
          },
        }
      },
    },
  }
}

describe('a file that the storage lost', () => {
  it('is read again and delivered, and nobody hears of a problem', async () => {
    const [kafka, store, reporter] = [await topicWithOneFile(), new SharedStore(), new RecordingReporter()]
    const {destination, losses} = losing(store, 2)
    const {report, exitCode} = await deliver({kafka, destination, reporter})
    expect([exitCode, losses()]).toEqual([0, 2])
    expect(report).toMatchObject({records: 3 * CHUNKS, files: {delivered: 1, held: 0}, problems: []})
    expect(store.content('f')).toBe(content.toString('latin1'))
    expect(reporter.paths('file.held')).toEqual([])
  })

  it('is held when it is lost again and again, with the exit code of the storage, and left open', async () => {
    const [kafka, store] = [await topicWithOneFile(), new SharedStore()]
    const {destination, losses} = losing(store, Infinity)
    const {report, exitCode} = await deliver({kafka, destination})
    expect([exitCode, losses()]).toEqual([6, 4])
    expect(report.problems).toMatchObject([{path: 'f', outcome: 'held', code: 'STORAGE_FAILED'}])
    expect(await kafka.admin().committedOffsets('g', 't')).toMatchObject([{offset: 0}])
    expect(await deliver({kafka, destination: new StoreDestination(store)})).toMatchObject({exitCode: 0})
    expect(store.deliveries).toEqual(['f'])
  })
})

describe('a stop while the destination waits for its storage', () => {
  it('leaves the file open, and is no problem of the file', async () => {
    const [kafka, store, reporter] = [await topicWithOneFile(), new SharedStore(), new RecordingReporter()]
    const stop = new AbortController()
    const inner = new StoreDestination(store)
    let isWaiting = false
    const destination: Destination = {
      recall: () => inner.recall(),
      close: () => inner.close(),
      open: async (file): Promise<FileWriter> => ({
        ...(await inner.open(file)),
        write: () =>
          new Promise((_, reject) => {
            isWaiting = true
            stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error))
          }),
      }),
    }
    const delivering = deliver({kafka, destination, reporter, signal: stop.signal})
    await eventually('it waits', () => isWaiting)
    stop.abort(new StreamtoolError('INTERRUPTED', 'Stopped: SIGTERM.'))
    const {report, exitCode} = await delivering
    expect(exitCode).toBe(130)
    expect(report.files).toMatchObject({held: 0, failed: 0})
    expect(reporter.paths('file.held')).toEqual([])
    const committed = await kafka.admin().committedOffsets('g', 't')
    expect(committed.every(({offset}) => offset === 0)).toBe(true)
  })
})

import {describe, expect, it} from 'vitest'
import type {AttemptRecord, SealedFile} from '../../../src/core/ports/index.js'
import {Semaphore} from '../../../src/core/flow/index.js'
import {attemptEnded, type AttemptOptions, attemptUntilProcessed} from '../../../src/processors/attempts.js'
import type {ProcessorHost} from '../../../src/processors/host.js'
import {realClock, silentLogger} from '../../support/delivery.js'
import {incomingFile} from '../../support/incoming-file.js'

const content: SealedFile = {
  sizeBytes: 0,
  localPath: null,
  content: Buffer.alloc(0),
  read: () => {
    throw new Error('nobody reads it')
  },
  restore: () => Promise.resolve(),
  keep: () => Promise.resolve(),
  release: () => Promise.resolve(),
}

function site(process: ProcessorHost['process'] = () => Promise.resolve()) {
  const journal = new Map<string, AttemptRecord>()
  const options: AttemptOptions = {
    host: {
      name: 'a processor',
      process,
      start: () => Promise.resolve(),
      failed: () => Promise.resolve(),
      mismatched: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    journal: {
      read: (key) => Promise.resolve(journal.get(key) ?? null),
      write: async (key, record) => void journal.set(key, record),
      forget: async (key) => void journal.delete(key),
    },
    attempts: 1,
    attemptDelayMs: 1,
    timeoutMs: null,
    slots: new Semaphore(1),
    clock: realClock,
    logger: silentLogger,
    steps: {reached: () => undefined},
    random: () => 0,
  }
  const [file, stop] = [incomingFile('f', Buffer.alloc(0)), new AbortController().signal]
  return {
    run: () => attemptUntilProcessed(file, content, options, stop),
    ended: () => attemptEnded(file, options),
  }
}

describe('attempts over several runs', () => {
  it('leave out a file in which the process died three times, and try it once more after that', async () => {
    const {run} = site()
    // A run that ends without a word, after the processor: as if it had died in it.
    for (let deaths = 0; deaths < 3; deaths++) await run()
    await expect(run()).rejects.toMatchObject({code: 'PROCESSOR_CRASHED'})
    await run()
  })

  it('do not count as a death what failed after the processor had succeeded', async () => {
    const {run, ended} = site()
    for (let storageFailed = 0; storageFailed < 5; storageFailed++) {
      await run()
      await ended()
    }
  })
})

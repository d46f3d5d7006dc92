import {describe, expect, it} from 'vitest'
import {Semaphore} from '../../../../src/core/flow/index.js'
import type {Epoch, RecordBatch} from '../../../../src/core/ports/index.js'
import {fresh} from '../../../../src/pipelines/delivery/partition-progress.js'
import {Lane} from '../../../../src/pipelines/relaying/lane.js'

const batch = (first: number, end: number): RecordBatch => ({
  topic: 'in',
  partition: 0,
  epoch: {} as Epoch,
  records: Array.from({length: end - first}, (_, i) => ({
    topic: 'in',
    partition: 0,
    offset: first + i,
    timestampMs: 0,
    key: null,
    value: null,
    headers: [],
  })),
  nextOffset: end,
  endOffset: end,
  release: () => undefined,
})

describe('a lane that has failed', () => {
  it('takes nothing more, however late it is revoked: the rest of the batch once counted as done', async () => {
    const progress = fresh({start: 0, end: 6})
    const handled: number[] = []
    const failures: Error[] = []
    const revoked = new AbortController()
    const lane = new Lane({
      progress,
      turns: new Semaphore(1),
      handle: ({record}) => {
        handled.push(record.offset)
        if (record.offset === 1) throw new Error('boom')
      },
      whenOutputAllows: () => undefined,
      onDone: () => undefined,
      onFailed: (error) => failures.push(error),
      signal: revoked.signal,
    })
    await lane.take(batch(0, 3))
    const second = lane.take(batch(3, 6))
    await lane.idle()
    await new Promise((resolve) => setTimeout(resolve, 5))
    revoked.abort()
    await second
    expect(handled).toEqual([0, 1])
    expect(failures).toHaveLength(1)
    expect(progress.ledger.safeOffset).toBe(1)
    expect(progress.ledger.doneRuns()).toEqual([])
  })
})

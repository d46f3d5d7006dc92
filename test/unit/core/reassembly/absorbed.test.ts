import {describe, expect, it} from 'vitest'
import {decodeChunk} from '../../../../src/core/chunk/index.js'
import {StreamtoolError} from '../../../../src/core/errors.js'
import type {Destination, FileWriter} from '../../../../src/core/ports/index.js'
import type {ConsumedRecord} from '../../../../src/core/record.js'
import {Reassembly} from '../../../../src/core/reassembly/index.js'
import {joined} from '../../../support/chunks.js'
import {memorySpill, SharedStore, StoreDestination} from '../../../support/delivery.js'
import {deferred} from '../../../support/eventually.js'
import {LONG_AGO_MS, recordsFor, text} from '../../../support/topic.js'

function reassemblyInto(destination: Destination): Reassembly {
  return new Reassembly({
    topic: 't',
    destination,
    spill: memorySpill(),
    steps: {reached: () => undefined},
    memoryBytes: 1 << 20,
    concurrency: 1,
    generations: 'newest',
    onConcluded: () => undefined,
    onReread: () => undefined,
    onRunEnded: () => undefined,
  })
}

function consumed(path: string): ConsumedRecord[] {
  return recordsFor(path, text(20)).map(({headers, value}, offset) => ({
    ...{topic: 't', partition: 0, offset, timestampMs: LONG_AGO_MS, key: null},
    headers,
    value: joined(value),
  }))
}

function accept(reassembly: Reassembly, record: ConsumedRecord): void {
  const decoded = decodeChunk(record)
  if ('poison' in decoded) throw new Error(decoded.poison)
  reassembly.accept(decoded, record, LONG_AGO_MS)
}

describe('Reassembly.absorbed', () => {
  it('waits for the records of one file for everybody who gave some: the second once took the first for done', async () => {
    const disk = deferred()
    const reassembly = reassemblyInto(new StoreDestination(new SharedStore(), () => disk.promise))
    const [first, second] = consumed('a')
    const through: string[] = []
    const absorbed = async (record: ConsumedRecord, name: string) => {
      accept(reassembly, record)
      await reassembly.absorbed()
      through.push(name)
    }
    const both = [absorbed(first!, 'first'), absorbed(second!, 'second')]
    const nobody = reassembly.absorbed().then(() => through.push('another'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(through).toEqual([])
    disk.resolve()
    await Promise.all([...both, nobody])
    expect(through.sort()).toEqual(['another', 'first', 'second'])
    await reassembly.drained()
  })

  it('does not give free what a writer was given that failed: it may still be reading it', async () => {
    const failing: FileWriter = {
      write: () => Promise.reject(new StreamtoolError('FILE_HELD', 'too slow')),
      finish: () => Promise.reject(new Error('not reached')),
      discard: () => Promise.resolve(),
    }
    const store = new SharedStore()
    const others = new StoreDestination(store)
    const reassembly = reassemblyInto({
      open: (file) => (file.path === 'bad' ? Promise.resolve(failing) : others.open(file)),
      recall: () => Promise.resolve('nothing' as const),
      close: () => Promise.resolve(),
    })
    accept(reassembly, consumed('good')[0]!)
    accept(reassembly, consumed('bad')[0]!)
    // Both have records in the same batches, as far as anybody knows.
    expect(await Promise.all([reassembly.absorbed(), reassembly.absorbed()])).toEqual([false, false])
    accept(reassembly, consumed('good')[1]!)
    expect(await reassembly.absorbed()).toBe(true)
    await reassembly.drained()
    expect(store.deliveries).toEqual(['good'])
  })
})

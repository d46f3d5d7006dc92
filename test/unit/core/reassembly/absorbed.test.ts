import {describe, expect, it} from 'vitest'
import {decodeChunk} from '../../../../src/core/chunk/index.js'
import {Reassembly} from '../../../../src/core/reassembly/index.js'
import {joined} from '../../../support/chunks.js'
import {memorySpill, SharedStore, StoreDestination} from '../../../support/delivery.js'
import {deferred} from '../../../support/eventually.js'
import {LONG_AGO_MS, recordsFor, text} from '../../../support/topic.js'

describe('Reassembly.absorbed', () => {
  it('waits for the records of one file for everybody who gave some: the second once took the first for done', async () => {
    const disk = deferred()
    const reassembly = new Reassembly({
      topic: 't',
      destination: new StoreDestination(new SharedStore(), () => disk.promise),
      spill: memorySpill(),
      steps: {reached: () => undefined},
      memoryBytes: 1 << 20,
      concurrency: 1,
      generations: 'newest',
      onConcluded: () => undefined,
      onReread: () => undefined,
      onRunEnded: () => undefined,
    })
    const [first, second] = recordsFor('a', text(20)).map(({headers, value}, offset) => ({
      ...{topic: 't', partition: 0, offset, timestampMs: LONG_AGO_MS, key: null},
      headers,
      value: joined(value),
    }))
    const through: string[] = []
    const absorbed = async (record: typeof first, name: string) => {
      const decoded = decodeChunk(record!)
      if ('poison' in decoded) throw new Error(decoded.poison)
      reassembly.accept(decoded, record!, LONG_AGO_MS)
      await reassembly.absorbed()
      through.push(name)
    }
    const both = [absorbed(first, 'first'), absorbed(second, 'second')]
    const nobody = reassembly.absorbed().then(() => through.push('another'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(through).toEqual([])
    disk.resolve()
    await Promise.all([...both, nobody])
    expect(through.sort()).toEqual(['another', 'first', 'second'])
    await reassembly.drained()
  })
})

import {describe, expect, it} from 'vitest'
import {parseKeyTemplate} from '../../../../src/adapters/s3/key-template.js'
import type {Destination} from '../../../../src/core/ports/index.js'
import {Assembly} from '../../../../src/core/reassembly/assembly.js'
import {generationKey} from '../../../../src/core/reassembly/generation.js'
import {SharedStore, StoreDestination} from '../../../support/delivery.js'
import {read, type ReadRecord, siteOf} from '../../../support/assemblies.js'
import {recordsFor} from '../../../support/topic.js'

describe('a file whose chunks lie in several partitions', () => {
  const HOUR_MS = 3_600_000
  const template = parseKeyTemplate('{yyyy}-{mm}-{dd}T{hh}/{path}', '')

  /** The key that it is given when it is opened, reading its records in this order. */
  async function keyOf(records: readonly ReadRecord[]): Promise<string> {
    let key = ''
    const inner = new StoreDestination(new SharedStore())
    const destination: Destination = {
      open: (file) => {
        key = template.keyOf(file)
        return inner.open(file)
      },
      recall: async () => 'nothing',
      close: async () => undefined,
    }
    const [{decoded, record}] = records as [ReadRecord]
    const assembly = new Assembly(generationKey(decoded), decoded, record, siteOf(destination))
    for (const each of records) {
      assembly.accept(each.decoded, each.record, Date.now())
      await assembly.absorbed()
    }
    return key
  }

  it('has one date in its key, whichever record is read first', async () => {
    const [first, second, third] = recordsFor('a', Buffer.alloc(30), {uploadId: null, chunkBytes: 10}).map(
      (record, index) => {
        const found = read(record, 0, index)
        const timestampMs = Date.UTC(2026, 2, 9, 5) - index * HOUR_MS
        return {...found, record: {...found.record, timestampMs}}
      },
    ) as [ReadRecord, ReadRecord, ReadRecord]
    const orders = [
      [first, second, third],
      [third, second, first],
      [second, first, third],
    ]
    expect(await Promise.all(orders.map(keyOf))).toEqual(orders.map(() => '2026-03-09T05/a'))
  })
})

import {describe, expect, it} from 'vitest'
import {createMemoryKafka} from '../../../../src/adapters/memory/kafka/index.js'
import {fileLetters} from '../../../../src/core/dead-letters/index.js'
import {IntervalSet, PartitionLedger} from '../../../../src/core/offsets/index.js'
import type {OutgoingRecord} from '../../../../src/core/record.js'
import {PartitionTable} from '../../../../src/pipelines/delivery/partition-table.js'
import {readLetters} from '../../../../src/pipelines/retrying/letters.js'
import {silentLogger} from '../../../support/delivery.js'

const letterOf = (path: string, topic = 't'): OutgoingRecord =>
  fileLetters({
    kind: 'file',
    cause: {code: 'FILE_PARKED', reason: '', group: 'g'},
    topic,
    path,
    sha512: 'ab'.repeat(64),
    uploadId: null,
    chunkCount: 2,
    missingChunks: '2',
    records: new Map([[0, IntervalSet.of([{start: 0, end: 1}])]]),
  })[0]!
const foreign: OutgoingRecord = {key: null, value: [Buffer.from('?')], headers: []}

async function setUp(records: readonly OutgoingRecord[], done: readonly number[] = []) {
  const kafka = createMemoryKafka({fetchRecords: 2})
  await kafka.admin().createTopic('dead', {partitions: 1})
  if (records.length > 0) await kafka.producer().send({topic: 'dead', partition: 0, records})
  const ledger = new PartitionLedger(
    0,
    done.map((offset) => ({start: offset, end: offset + 1})),
  )
  const table = new PartitionTable()
  table.set(0, {ledger, readPosition: 0, endOffset: records.length})
  const letters = (topic: string | null = null) =>
    readLetters(
      {from: 'dead', topic},
      {reader: kafka.reader(), logger: silentLogger},
      table,
      new AbortController().signal,
    )
  return {ledger, letters}
}

describe('reading letters', () => {
  it('finds those that are not done, with where they are', async () => {
    const {letters, ledger} = await setUp([letterOf('a'), letterOf('b'), letterOf('c')], [1])
    const found = await letters()
    expect(found.map((each) => [each.kind === 'file' && each.path, each.at.offset])).toEqual([
      ['a', 0],
      ['c', 2],
    ])
    expect(ledger.safeOffset).toBe(0)
  })

  it('passes for good over what is no letter of ours', async () => {
    const {letters, ledger} = await setUp([foreign, foreign, letterOf('a'), foreign])
    expect(await letters()).toHaveLength(1)
    expect(ledger.safeOffset).toBe(2)
    expect(ledger.isDone(3)).toBe(true)
  })

  it('leaves those about other topics as they are', async () => {
    const {letters, ledger} = await setUp([letterOf('other', 'u'), letterOf('ours')])
    expect(await letters('t')).toMatchObject([{path: 'ours'}])
    expect(ledger.safeOffset).toBe(0)
    expect(ledger.isDone(0)).toBe(false)
  })

  it('finds none on an empty topic', async () => {
    const {letters} = await setUp([])
    expect(await letters()).toEqual([])
  })
})

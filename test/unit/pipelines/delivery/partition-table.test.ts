import {describe, expect, it} from 'vitest'
import {IntervalSet, PartitionLedger} from '../../../../src/core/offsets/index.js'
import type {PartitionProgress} from '../../../../src/pipelines/delivery/partition-progress.js'
import {PartitionTable} from '../../../../src/pipelines/delivery/partition-table.js'

const progress = (readPosition: number, endOffset = readPosition): PartitionProgress => ({
  ledger: new PartitionLedger(0),
  readPosition,
  endOffset,
})
const offsets = (partition: number, ...runs: [number, number][]) =>
  new Map([[partition, IntervalSet.of(runs.map(([start, end]) => ({start, end})))]])

function tableOf(...partitions: PartitionProgress[]): PartitionTable {
  const table = new PartitionTable()
  for (const [partition, each] of partitions.entries()) table.set(partition, each)
  return table
}

describe('an assignment', () => {
  it('tells which partitions are gone or begin anew; those kept as they are stay', () => {
    const kept = progress(5)
    const table = tableOf(kept, progress(6), progress(7))
    const gone = table.replace(
      new Map([
        [0, kept],
        [2, progress(7)],
        [3, progress(0)],
      ]),
    )
    expect([...gone]).toEqual([1, 2])
    expect(table.size).toBe(3)
    expect(table.get(1)).toBeUndefined()
  })
})

describe('reading back', () => {
  it('goes to the first offset that is wanted, where reading stands behind it', () => {
    const table = tableOf(progress(10), progress(3))
    const wanted = new Map([...offsets(0, [4, 6], [8, 9]), ...offsets(1, [3, 5]), ...offsets(7, [0, 1])])
    expect(table.stepBack(wanted)).toEqual([{partition: 0, offset: 4}])
    expect(table.get(0)!.readPosition).toBe(4)
    expect(table.get(1)!.readPosition).toBe(3)
    expect(table.stepBack(offsets(0))).toEqual([])
  })
})

describe('reading on', () => {
  it('jumps over a long run that is done, and reads through a short one', () => {
    const table = tableOf(progress(1, 1000))
    const {ledger} = table.get(0)!
    ledger.markDone([{start: 1, end: 200}])
    expect(table.jumpOverDone(0)).toBeNull()
    ledger.markDone([{start: 200, end: 900}])
    expect(table.jumpOverDone(0)).toEqual({partition: 0, offset: 900})
    expect(table.get(0)!.readPosition).toBe(900)
    expect(table.jumpOverDone(5)).toBeNull()
  })

  it('stands at the end when everything that is known to be there is read, of these partitions or of all', () => {
    const table = tableOf(progress(5, 5), progress(5, 6))
    const standing = [[0], [0, 1], undefined, [7]].map((of) => table.standsAtEnd(of))
    expect(standing).toEqual([true, false, false, true])
  })
})

describe('what is done', () => {
  it('is kept by partition, and ignored for those of others', () => {
    const table = tableOf(progress(5), progress(5))
    table.markDone(new Map([...offsets(0, [0, 3]), ...offsets(9, [0, 3])]))
    expect(table.isDone(0, 2)).toBe(true)
    expect([table.isDone(0, 3), table.isDone(1, 0), table.isDone(9, 0)]).toEqual([false, false, false])
    const safe = table.ledgers().map(([partition, {safeOffset}]) => [partition, safeOffset])
    expect(safe).toEqual([
      [0, 3],
      [1, 0],
    ])
  })
})

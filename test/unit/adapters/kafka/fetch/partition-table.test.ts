import {describe, expect, it} from 'vitest'
import type {FetchedPartition} from '../../../../../src/adapters/kafka/fetch/fetched-partition.js'
import {PartitionTable} from '../../../../../src/adapters/kafka/fetch/partition-table.js'

const broker = (nodeId: number) => ({nodeId, host: 'h', port: 1, rack: null})

function table(leaders: readonly (number | null)[]): PartitionTable {
  const made = new PartitionTable(leaders.map((_, partition) => ({topic: 't', partition, offset: 10})))
  leaders.forEach((nodeId, partition) => {
    partitionOf(made, partition).leader = nodeId === null ? null : broker(nodeId)
  })
  return made
}

const partitionOf = (of: PartitionTable, partition: number): FetchedPartition =>
  of.get({topic: 't', partition})!

const asked = (of: PartitionTable, nodeId: number, nowMs = 0) =>
  of.ask(nodeId, nowMs).map(({partition}) => partition.partition)

describe('PartitionTable', () => {
  it('asks each broker for what it leads', () => {
    const partitions = table([1, 2, 1, null])
    expect(asked(partitions, 1)).toEqual([0, 2])
    expect(asked(partitions, 2)).toEqual([1])
    expect(partitions.withoutLeader().map(({partition}) => partition)).toEqual([3])
  })

  it('puts those that were served behind the others, in their order', () => {
    const partitions = table([1, 1, 1, 1])
    partitions.toTheEnd(new Set([partitionOf(partitions, 0), partitionOf(partitions, 2)]))
    expect(asked(partitions, 1)).toEqual([1, 3, 0, 2])
  })

  it('leaves a partition that fails alone, longer each time, and says when its turn comes', () => {
    const partitions = table([1])
    const [partition] = [partitionOf(partitions, 0)]
    expect(partition.failed(1_000)).toBe(0)
    expect(asked(partitions, 1, 1_050)).toEqual([])
    expect(partitions.nextTurnMs(1)).toBe(1_100)
    expect(asked(partitions, 1, 1_100)).toEqual([0])
    partition.giveBack()
    expect(partition.failed(1_100)).toBe(100)
    expect(partitions.nextTurnMs(1)).toBe(1_300)
    for (let i = 0; i < 20; i++) partition.failed(2_000)
    expect(partitions.nextTurnMs(1)).toBe(4_000)
    partition.succeeded()
    expect(asked(partitions, 1, 0)).toEqual([0])
    expect(partition.failed(9_000)).toBe(0)
  })

  it('has no turn for a broker that leads nothing', () => {
    expect(table([1]).nextTurnMs(2)).toBeNull()
  })
})

describe('FetchedPartition', () => {
  it('gives a new leader nothing before the tickets of the old one are back', () => {
    const partitions = table([1])
    const partition = partitionOf(partitions, 0)
    partition.ask(1)
    partition.ask(1)
    partition.leader = broker(2)
    expect(asked(partitions, 2)).toEqual([])
    partition.giveBack()
    expect(asked(partitions, 2)).toEqual([])
    partition.giveBack()
    expect(asked(partitions, 2)).toEqual([0])
  })

  it('takes nothing more from tickets of before the position was moved', () => {
    const partition = partitionOf(table([1]), 0)
    const first = partition.ask(1)
    partition.advance(first, 20)
    const second = partition.ask(1)
    expect([second.offset, partition.isCurrent(first), partition.isCurrent(second)]).toEqual([20, true, true])
    partition.moveTo(5)
    partition.advance(second, 30)
    expect([partition.position, partition.isCurrent(first), partition.isCurrent(second)]).toEqual([
      5,
      false,
      false,
    ])
  })
})

import {setTimeout as delay} from 'node:timers/promises'
import {describe, expect, it} from 'vitest'
import {Ending} from '../../../../../src/adapters/kafka/group/ending.js'
import {GroupEpoch} from '../../../../../src/adapters/kafka/group/group-epoch.js'
import {HandlerCalls} from '../../../../../src/adapters/kafka/group/handler-calls.js'
import type {CommittedOffset, GroupHandler, RecordBatch} from '../../../../../src/core/ports/index.js'
import {silentLogger} from '../../../../support/delivery.js'
import {deferred, eventually} from '../../../../support/eventually.js'
import {hastyClock} from '../clocks.js'
import {ScriptedCluster, TOPIC} from '../fetch/scripted-cluster.js'

const partitions = [{topic: TOPIC, partition: 0, start: 0, end: 1, committed: null}]

function serving(behaviour: Partial<GroupHandler> = {}) {
  const cluster = new ScriptedCluster(1)
  cluster.append(0, ['one'])
  const calls: string[] = []
  const batches: RecordBatch[] = []
  const epoch = new GroupEpoch(4, 'lab', {
    commit: async () => undefined,
    seek: (partition, offset) => handlerCalls.seek(partition, offset),
  })
  const ending = new Ending()
  const handler: GroupHandler = {
    assigned: async (...args) => {
      calls.push('assigned')
      return behaviour.assigned?.(...args) ?? [{topic: TOPIC, partition: 0, offset: 0}]
    },
    records: async (batch) => {
      calls.push('records')
      batches.push(batch)
      await behaviour.records?.(batch)
    },
    revoked: async (...args) => {
      calls.push(`revoked ${args[2]}`)
      await behaviour.revoked?.(...args)
    },
    outOfRange: async () => 0,
  }
  const handlerCalls: HandlerCalls = new HandlerCalls(handler, {
    epoch,
    ending,
    revokeLimitMs: 1_000,
    fetch: {
      fetching: cluster.asCluster,
      control: cluster.asCluster,
      frameMemory: null,
      limits: {maxWaitMs: 500, partitionBytes: 1000, answerBytes: 1000},
      toleranceMs: 10_000,
      clock: hastyClock,
      logger: silentLogger,
    },
  })
  return {calls, batches, epoch, ending, handlerCalls, served: handlerCalls.serve(partitions)}
}

describe('HandlerCalls', () => {
  it('go from assigned over records to revoked, with the first reason', async () => {
    const {calls, batches, epoch, ending, handlerCalls, served} = serving()
    await eventually('a batch is handed over', () => batches.length === 1)
    expect(batches[0]!.epoch).toBe(epoch)
    ending.now('rebalance')
    ending.now('lost', {isForgotten: true})
    await served
    await handlerCalls.through
    expect(calls).toEqual(['assigned', 'records', 'revoked rebalance'])
    expect(ending.end).toEqual({reason: 'rebalance', isForgotten: true, failure: null})
  })

  it('fail when the handler does not say where to start', async () => {
    const {calls, ending, served} = serving({assigned: async () => []})
    await served
    expect(ending.end).toMatchObject({reason: 'stopping', failure: {error: {code: 'BUG'}}})
    expect(calls).toEqual(['assigned'])
  })

  it('wait for revoked no longer than they may, and know what failed after that', async () => {
    const draining = deferred()
    const {calls, ending, handlerCalls, served, batches} = serving({revoked: () => draining.promise})
    await eventually('a batch is handed over', () => batches.length === 1)
    ending.now('rebalance')
    await served
    expect(calls.at(-1)).toBe('revoked rebalance')
    expect(ending.end.failure).toBeNull()
    const failure = new Error('too late, and in vain')
    draining.reject(failure)
    await handlerCalls.through
    expect(ending.end.failure).toEqual({error: failure})
  })

  it.each([
    [
      'the reason of its signal',
      async (signal: AbortSignal) =>
        new Promise<void>((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
    ],
    ['what Node makes of its signal', async (signal: AbortSignal) => delay(60_000, undefined, {signal})],
  ])('take %s for no failure of a handler that the end lets go', async (_what, hold) => {
    const {epoch, ending, handlerCalls, served, batches} = serving({
      records: ({epoch: {signal}}) => hold(signal),
    })
    await eventually('a batch is held', () => batches.length === 1)
    ending.now('rebalance')
    await served
    epoch.end()
    await handlerCalls.through
    expect(ending.end).toEqual({reason: 'rebalance', isForgotten: false, failure: null})
  })

  it('take another error for a failure, although the epoch is over', async () => {
    const held = deferred()
    const {epoch, ending, handlerCalls, served, batches} = serving({records: () => held.promise})
    await eventually('a batch is held', () => batches.length === 1)
    ending.now('rebalance')
    await served
    epoch.end()
    const failure = new Error('the disk is full')
    held.reject(failure)
    await handlerCalls.through
    expect(ending.end.failure).toEqual({error: failure})
  })
})

describe('GroupEpoch', () => {
  it('commits and seeks until it is over', async () => {
    const committed: (readonly CommittedOffset[])[] = []
    const seeks: number[] = []
    const epoch = new GroupEpoch(4, 'lab', {
      commit: async (offsets) => void committed.push(offsets),
      seek: (_partition, offset) => void seeks.push(offset),
    })
    const offsets = [{topic: TOPIC, partition: 0, offset: 3, metadata: ''}]
    await epoch.commit(offsets)
    await epoch.commit([])
    epoch.seek({topic: TOPIC, partition: 0}, 5)
    epoch.end()
    epoch.end()
    epoch.seek({topic: TOPIC, partition: 0}, 6)
    await expect(epoch.commit(offsets)).rejects.toMatchObject({
      code: 'GROUP_STALE',
      facts: {groupId: 'lab', generation: 4},
    })
    expect(committed).toEqual([offsets])
    expect(seeks).toEqual([5])
    expect(epoch.signal.aborted).toBe(true)
  })
})

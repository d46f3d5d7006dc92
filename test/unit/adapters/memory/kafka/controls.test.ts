import {setTimeout as sleep} from 'node:timers/promises'
import {describe, expect, it} from 'vitest'
import {createMemoryKafka, type MemoryKafka} from '../../../../../src/adapters/memory/kafka/index.js'
import type {Epoch, GroupHandler, RecordBatch, RevokeReason} from '../../../../../src/core/ports/index.js'
import {deferred, eventually} from '../../../../support/eventually.js'

const PARTITION = {topic: 'runs', partition: 0}

function record(text: string) {
  return {key: null, value: [Buffer.from(text)], headers: []}
}

async function kafkaWith(count: number, options: Parameters<typeof createMemoryKafka>[0] = {}) {
  const kafka = createMemoryKafka(options)
  await kafka.admin().createTopic('runs', {partitions: 1})
  const records = Array.from({length: count}, (_, index) => record(`${index}`))
  if (count > 0) await kafka.producer().send({...PARTITION, records})
  return kafka
}

/** A member that reads from the start and remembers batches; `from` overrides where. */
function join(kafka: MemoryKafka, overrides: Partial<GroupHandler> = {}, from = 0) {
  const batches: RecordBatch[] = []
  const epochs: Epoch[] = []
  const reasons: RevokeReason[] = []
  const stopping = new AbortController()
  const handler: GroupHandler = {
    assigned: async (epoch, partitions) => {
      epochs.push(epoch)
      return partitions.map(({topic, partition}) => ({topic, partition, offset: from}))
    },
    records: async (batch) => void batches.push(batch),
    revoked: async (_epoch, _partitions, reason) => void reasons.push(reason),
    outOfRange: async (_epoch, {start}) => start,
    ...overrides,
  }
  const options = {topics: ['runs'], groupId: 'g', instanceId: null, leaveOnStop: true}
  const run = kafka.groupConsumer(options).run(handler, stopping.signal)
  const stop = async () => {
    stopping.abort()
    await run
  }
  return {
    batches,
    epochs,
    reasons,
    run,
    stop,
    offsets: () => batches.flatMap((b) => b.records.map((r) => r.offset)),
  }
}

async function onlyMember(kafka: MemoryKafka): Promise<string> {
  const [member] = await kafka.admin().groupMembers('g')
  return member!.memberId
}

describe('memory Kafka: holes in a log', () => {
  it('answers a hole as an empty batch that moves the position', async () => {
    const kafka = await kafkaWith(6)
    kafka.compactLog(PARTITION, 2, 4)
    const member = join(kafka)
    await eventually('all is read', () => member.batches.at(-1)?.nextOffset === 6)
    await member.stop()
    expect(member.batches.map(({records, nextOffset}) => [records.map((r) => r.offset), nextOffset])).toEqual(
      [
        [[0, 1], 2],
        [[], 4],
        [[4, 5], 6],
      ],
    )
  })

  it('starts inside a hole', async () => {
    const kafka = await kafkaWith(6)
    kafka.compactLog(PARTITION, 2, 4)
    const member = join(kafka, {}, 3)
    await eventually('all is read', () => member.batches.at(-1)?.nextOffset === 6)
    await member.stop()
    expect(member.offsets()).toEqual([4, 5])
  })

  it('answers at most as many records as was said', async () => {
    const kafka = await kafkaWith(7, {fetchRecords: 3})
    const member = join(kafka)
    await eventually('all is read', () => member.offsets().length === 7)
    await member.stop()
    expect(member.batches.map(({records}) => records.length)).toEqual([3, 3, 1])
  })

  it('asks where to go on after the log lost its end', async () => {
    const kafka = await kafkaWith(6)
    const asked: unknown[] = []
    const member = join(kafka, {
      outOfRange: async (_epoch, range, position) => {
        asked.push({range, position})
        return range.end
      },
    })
    await eventually('all is read', () => member.offsets().length === 6)
    kafka.truncateLog(PARTITION, 4)
    await eventually('it is asked', () => asked.length === 1)
    await kafka.producer().send({...PARTITION, records: [record('new')]})
    await eventually('the new record is read', () => member.offsets().length === 7)
    await member.stop()
    expect(asked).toEqual([{range: {...PARTITION, start: 0, end: 4}, position: 6}])
    expect(member.batches.at(-1)!.records[0]).toMatchObject({offset: 4, value: Buffer.from('new')})
  })
})

describe('memory Kafka: faults', () => {
  const sendOne = (kafka: MemoryKafka) => kafka.producer().send({...PARTITION, records: [record('x')]})
  const end = async (kafka: MemoryKafka) => (await kafka.admin().partitionRanges('runs'))[0]!.end

  it('refuses as often as it was told, and writes nothing', async () => {
    const kafka = await kafkaWith(0)
    kafka.failNext('produce', 'refused', {times: 2})
    await expect(sendOne(kafka)).rejects.toMatchObject({code: 'BROKER_UNREACHABLE'})
    await expect(sendOne(kafka)).rejects.toMatchObject({code: 'BROKER_UNREACHABLE'})
    expect(await sendOne(kafka)).toEqual({baseOffset: 0})
    expect(await end(kafka)).toBe(1)
  })

  it('fails with the code it was given', async () => {
    const kafka = await kafkaWith(0)
    kafka.failNext('produce', 'refused', {code: 'NOT_AUTHORISED'})
    await expect(sendOne(kafka)).rejects.toMatchObject({code: 'NOT_AUTHORISED'})
  })

  it('writes and loses the answer', async () => {
    const kafka = await kafkaWith(0)
    kafka.failNext('produce', 'answer-lost')
    await expect(sendOne(kafka)).rejects.toMatchObject({code: 'BROKER_UNREACHABLE'})
    expect(await end(kafka)).toBe(1)
  })

  it('writes twice, as a client that sends again does', async () => {
    const kafka = await kafkaWith(0)
    kafka.failNext('produce', 'duplicated')
    expect(await sendOne(kafka)).toEqual({baseOffset: 1})
    expect(await end(kafka)).toBe(2)
  })

  it.each([
    ['refused', []],
    ['answer-lost', [{...PARTITION, offset: 1, metadata: ''}]],
  ] as const)('fails a commit: %s', async (fault, stored) => {
    const kafka = await kafkaWith(1)
    const member = join(kafka)
    await eventually('an epoch begins', () => member.epochs.length === 1)
    kafka.failNext('commit', fault)
    const commit = member.epochs[0]!.commit([{...PARTITION, offset: 1, metadata: ''}])
    await expect(commit).rejects.toMatchObject({code: 'BROKER_UNREACHABLE'})
    expect(await kafka.admin().committedOffsets('g', 'runs')).toEqual(stored)
    await member.stop()
  })
})

describe('memory Kafka: groups', () => {
  it('rebalances when told, with a new generation', async () => {
    const kafka = await kafkaWith(1)
    const member = join(kafka)
    await eventually('an epoch begins', () => member.epochs.length === 1)
    kafka.forceRebalance('g')
    await eventually('another begins', () => member.epochs.length === 2)
    await member.stop()
    expect(member.reasons).toEqual(['rebalance', 'stopping'])
    expect(member.epochs.map(({generation}) => generation)).toEqual([1, 2])
  })

  it('lets a zombie read on, refuses its commits, and gives its partitions away', async () => {
    const kafka = await kafkaWith(1)
    const zombie = join(kafka)
    await eventually('it has read', () => zombie.offsets().length === 1)
    const memberId = await onlyMember(kafka)
    const notice = deferred()
    const heir = join(kafka)
    await eventually('both are there', () => zombie.epochs.length === 2 && heir.epochs.length === 1)
    kafka.expireMember('g', memberId, {noticedAfter: notice.promise})
    await eventually('the heir has it', () => heir.offsets().length === 1)
    await kafka.producer().send({...PARTITION, records: [record('later')]})
    await eventually('both read on', () => heir.offsets().length === 2 && zombie.offsets().at(-1) === 1)

    const late = zombie.epochs[1]!.commit([{...PARTITION, offset: 0, metadata: ''}])
    await expect(late).rejects.toMatchObject({code: 'GROUP_STALE'})
    expect(zombie.epochs[1]!.signal.aborted).toBe(false)
    notice.resolve()
    await eventually('the zombie joins again', () => zombie.epochs.length === 3)
    expect(zombie.reasons).toEqual(['rebalance', 'lost'])
    await Promise.all([zombie.stop(), heir.stop()])
  })

  it('goes on without a member that takes too long to give up', async () => {
    const kafka = await kafkaWith(1)
    const draining = deferred()
    let commit: Promise<void> | undefined
    const slow = join(kafka, {
      revoked: async (epoch, _partitions, reason) => {
        if (reason === 'stopping') return
        await draining.promise
        commit = epoch.commit([{...PARTITION, offset: 1, metadata: ''}])
        await commit.catch(() => undefined)
      },
    })
    await eventually('it has read', () => slow.offsets().length === 1)
    const memberId = await onlyMember(kafka)
    const other = join(kafka)
    await sleep(5)
    expect(other.epochs).toEqual([])
    kafka.expireMember('g', memberId)
    await eventually('the other reads', () => other.offsets().length === 1)
    expect(slow.epochs[0]!.signal.aborted).toBe(true)
    draining.resolve()
    await eventually('the slow one joins again', () => slow.epochs.length === 2)
    await expect(commit).rejects.toMatchObject({code: 'GROUP_STALE'})
    await Promise.all([slow.stop(), other.stop()])
  })

  it('holds requests up for as long as the delay says, and names who asks', async () => {
    const gate = deferred()
    const asked = new Set<string>()
    const kafka = await kafkaWith(0, {
      delay: ({kind, group, member}) => {
        asked.add([kind, group, member && 'named'].join(' '))
        return kind === 'fetch' ? gate.promise : undefined
      },
    })
    await kafka.producer().send({...PARTITION, records: [record('x')]})
    const member = join(kafka)
    await eventually('an epoch begins', () => member.epochs.length === 1)
    await sleep(5)
    expect(member.batches).toEqual([])
    gate.resolve()
    await eventually('it has read', () => member.offsets().length === 1)
    await member.epochs[0]!.commit([{...PARTITION, offset: 1, metadata: ''}])
    await member.stop()
    expect([...asked].sort()).toEqual(['commit g named', 'fetch g named', 'join g ', 'produce  '])
  })

  it('refuses a commit that arrives after the group has moved on', async () => {
    const gate = deferred()
    const kafka = await kafkaWith(1, {delay: ({kind}) => (kind === 'commit' ? gate.promise : undefined)})
    const member = join(kafka)
    await eventually('an epoch begins', () => member.epochs.length === 1)
    const commit = member.epochs[0]!.commit([{...PARTITION, offset: 1, metadata: ''}])
    kafka.forceRebalance('g')
    await eventually('another begins', () => member.epochs.length === 2)
    gate.resolve()
    await expect(commit).rejects.toMatchObject({code: 'GROUP_STALE'})
    expect(await kafka.admin().committedOffsets('g', 'runs')).toEqual([])
    await member.stop()
  })

  it('lets timers run although records never end', async () => {
    const kafka = await kafkaWith(1)
    let calls = 0
    const member = join(kafka, {
      records: async ({epoch}) => {
        calls++
        epoch.seek(PARTITION, 0)
      },
    })
    await sleep(5)
    await member.stop()
    expect(calls).toBeGreaterThan(1)
  })

  it('refuses a seek on a partition of somebody else', async () => {
    const kafka = await kafkaWith(0)
    const member = join(kafka)
    await eventually('an epoch begins', () => member.epochs.length === 1)
    expect(() => member.epochs[0]!.seek({topic: 'other', partition: 0}, 0)).toThrow(/does not read/)
    await member.stop()
  })
})

describe('memory Kafka: records', () => {
  it('takes the time from the clock it was given', async () => {
    const kafka = await kafkaWith(1, {clock: {nowMs: () => 1234}})
    const member = join(kafka)
    await eventually('it has read', () => member.offsets().length === 1)
    await member.stop()
    expect(member.batches[0]!.records[0]!.timestampMs).toBe(1234)
  })
})

import {describe, expect, it} from 'vitest'
import type {FetchedBatch, FetchHandler} from '../../../../../src/adapters/kafka/fetch/fetch-handler.js'
import {Fetcher} from '../../../../../src/adapters/kafka/fetch/fetcher.js'
import type {FetchLimits} from '../../../../../src/adapters/kafka/fetch/leader-requests.js'
import {ENOUGH_INFLATED_BYTES} from '../../../../../src/adapters/kafka/record-batch/decode.js'
import {FrameMemory} from '../../../../../src/adapters/kafka/transport/frame-memory.js'
import {TransportFailure} from '../../../../../src/adapters/kafka/transport/failures.js'
import {deferred, eventually} from '../../../../support/eventually.js'
import {silentLogger} from '../../../../support/delivery.js'
import {resealed} from '../../../../support/record-batches.js'
import {hastyClock} from '../clocks.js'
import {ScriptedCluster, TOPIC} from './scripted-cluster.js'

interface Reading {
  readonly fetcher: Fetcher
  readonly batches: FetchedBatch[]
  readonly run: Promise<void>
  readonly outOfRange: {start: number; end: number; position: number}[]
  texts(partition: number): string[]
  until(partition: number, position: number): Promise<void>
  stop(): Promise<void>
}

interface ReadingOptions {
  readonly from?: readonly number[]
  readonly limits?: Partial<FetchLimits>
  readonly toleranceMs?: number
  readonly frameMemory?: FrameMemory
  readonly records?: FetchHandler['records']
  readonly outOfRange?: FetchHandler['outOfRange']
}

function read(cluster: ScriptedCluster, options: ReadingOptions = {}): Reading {
  const {from = [0], limits = {}, toleranceMs = 300_000} = options
  const stopping = new AbortController()
  const batches: FetchedBatch[] = []
  const outOfRange: Reading['outOfRange'] = []
  let ended = false
  const fetcher = new Fetcher(
    from.map((offset, partition) => ({topic: TOPIC, partition, offset})),
    {
      records: async (batch) => {
        batches.push(batch)
        await options.records?.(batch)
      },
      outOfRange: async (range, position) => {
        outOfRange.push({start: range.start, end: range.end, position})
        return options.outOfRange?.(range, position) ?? range.start
      },
    },
    {
      fetching: cluster.asCluster,
      control: cluster.asCluster,
      frameMemory: options.frameMemory ?? null,
      limits: {maxWaitMs: 500, partitionBytes: 1000, answerBytes: 3000, ...limits},
      toleranceMs,
      clock: hastyClock,
      logger: silentLogger,
    },
  )
  const run = fetcher.run(stopping.signal)
  run.then(
    () => (ended = true),
    () => (ended = true),
  )
  const of = (partition: number) => batches.filter((batch) => batch.partition === partition)
  return {
    fetcher,
    batches,
    run,
    outOfRange,
    texts: (partition) => of(partition).flatMap(({records}) => records.map(({value}) => value!.toString())),
    until: async (partition, position) => {
      await eventually(`partition ${partition} is read up to ${position}`, async () => {
        if (ended) await run
        return (of(partition).at(-1)?.nextOffset ?? -1) >= position
      })
    },
    stop: async () => {
      stopping.abort()
      await run
    },
  }
}

const numbered = (label: string, from: number, to: number) =>
  Array.from({length: to - from}, (_, i) => `${label}${from + i}`)

const lost = () => new TransportFailure('lost', 'scripted:9092', 'lost the connection')

describe('Fetcher', () => {
  it('reads each partition from its start position on, in order, and stays for what comes', async () => {
    const cluster = new ScriptedCluster(2)
    cluster.append(0, numbered('a', 0, 10))
    cluster.append(1, numbered('b', 0, 5))
    const reading = read(cluster, {from: [3, 0]})
    await Promise.all([reading.until(0, 10), reading.until(1, 5)])
    cluster.append(0, numbered('a', 10, 12))
    await reading.until(0, 12)
    await reading.stop()
    expect(reading.texts(0)).toEqual(numbered('a', 3, 12))
    expect(reading.texts(1)).toEqual(numbered('b', 0, 5))
    expect(reading.batches.at(-1)).toMatchObject({nextOffset: 12, endOffset: 12})
  })

  it('never tells an end before the records that came with it, as a broker does that looked at its end first', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.endSeenTooEarly = 4
    cluster.append(0, numbered('a', 0, 10))
    const reading = read(cluster, {from: [0]})
    await reading.until(0, 10)
    await reading.stop()
    expect(reading.batches.at(-1)).toMatchObject({nextOffset: 10, endOffset: 10})
  })

  it('leaves no gap and repeats nothing while connections drop again and again', async () => {
    const cluster = new ScriptedCluster(3)
    cluster.beforeFetch = () => {
      if (cluster.fetches.length % 3 === 0) throw lost()
    }
    const reading = read(cluster, {from: [0, 0, 0], limits: {partitionBytes: 300, answerBytes: 500}})
    for (let round = 0; round < 20; round++) {
      for (const partition of [0, 1, 2]) cluster.append(partition, numbered('r', round * 4, round * 4 + 4))
    }
    await Promise.all([0, 1, 2].map((partition) => reading.until(partition, 80)))
    await reading.stop()
    for (const partition of [0, 1, 2]) expect(reading.texts(partition)).toEqual(numbered('r', 0, 80))
    expect(cluster.refreshes).toBeGreaterThan(1)
  })

  it('follows moving leaders, without reading ahead of what the old one still delivers', async () => {
    const cluster = new ScriptedCluster(2)
    const running = new Map<number, number>()
    const overlaps: number[] = []
    const reading = read(cluster, {
      from: [0, 0],
      limits: {partitionBytes: 300, answerBytes: 600},
      records: async ({partition}) => {
        running.set(partition, (running.get(partition) ?? 0) + 1)
        overlaps.push(running.get(partition)!)
        await new Promise((resolve) => setTimeout(resolve, 3))
        running.set(partition, running.get(partition)! - 1)
      },
    })
    for (let round = 0; round < 30; round++) {
      for (const partition of [0, 1]) cluster.append(partition, numbered('r', round * 4, round * 4 + 4))
      cluster.moveLeader(round % 2, 1 + (round % 3))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.all([reading.until(0, 120), reading.until(1, 120)])
    await reading.stop()
    for (const partition of [0, 1]) expect(reading.texts(partition)).toEqual(numbered('r', 0, 120))
    expect(Math.max(...overlaps)).toBe(1)
    expect(new Set(cluster.fetches.map(({broker}) => broker.nodeId)).size).toBeGreaterThan(1)
  })

  it('goes on with the others while one partition has no leader, and with that one when it has', async () => {
    const cluster = new ScriptedCluster(2)
    cluster.moveLeader(0, null)
    cluster.append(0, numbered('a', 0, 5))
    cluster.append(1, numbered('b', 0, 5))
    const reading = read(cluster, {from: [0, 0]})
    await reading.until(1, 5)
    expect(reading.texts(0)).toEqual([])
    cluster.moveLeader(0, 2)
    await reading.until(0, 5)
    await reading.stop()
  })

  it('does not let an error of one partition fail the others', async () => {
    const cluster = new ScriptedCluster(2)
    let broken = true
    cluster.onReply = (reply) => {
      if (reply.partition !== 0 || !broken) return
      reply.errorCode = 56 // KAFKA_STORAGE_ERROR
      reply.records = Buffer.alloc(0)
    }
    for (const partition of [0, 1]) cluster.append(partition, numbered('r', 0, 5))
    const reading = read(cluster, {from: [0, 0]})
    await reading.until(1, 5)
    cluster.append(1, numbered('r', 5, 9))
    await reading.until(1, 9)
    broken = false
    await reading.until(0, 5)
    await reading.stop()
    expect(reading.texts(0)).toEqual(numbered('r', 0, 5))
  })

  it('ends with the partition that fails for longer than is tolerated', async () => {
    const cluster = new ScriptedCluster(2)
    cluster.moveLeader(1, null)
    const reading = read(cluster, {from: [0, 0], toleranceMs: 2_000})
    await expect(reading.run).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      facts: {topic: TOPIC, partition: 1},
    })
  })

  it('ends when the topic is gone for longer than is tolerated', async () => {
    const cluster = new ScriptedCluster(1)
    const reading = read(cluster, {toleranceMs: 2_000})
    cluster.append(0, ['last'])
    await reading.until(0, 1)
    cluster.topicErrorCode = 3
    cluster.moveLeader(0, null)
    await expect(reading.run).rejects.toMatchObject({code: 'TOPIC_UNKNOWN', facts: {topic: TOPIC}})
  })

  it('ends at once when it may not read', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.append(0, ['secret'])
    cluster.onReply = (reply) => {
      reply.errorCode = 29
      reply.records = Buffer.alloc(0)
    }
    await expect(read(cluster).run).rejects.toMatchObject({code: 'NOT_AUTHORISED', facts: {topic: TOPIC}})
    expect(cluster.fetches).toHaveLength(1)
  })

  it('reads a batch again that was damaged on its way', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.append(0, ['one'])
    cluster.append(0, ['two'])
    let damaged = 0
    cluster.onReply = (reply) => {
      if (reply.records.length === 0 || damaged++ >= 3) return
      reply.records = flipped(reply.records, reply.records.length - 3)
    }
    const reading = read(cluster)
    await reading.until(0, 2)
    await reading.stop()
    expect(reading.texts(0)).toEqual(['one', 'two'])
  })

  it('ends with BATCH_CORRUPT, naming the offset, when a batch stays damaged; what is before it is delivered', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.append(0, ['one', 'two'])
    cluster.append(0, ['damaged'])
    cluster.append(0, ['three'])
    cluster.onReply = (reply, {partitions}) => {
      if (reply.records.length === 0) return
      const isFromStart = partitions[0]!.offset < 2
      const at = isFromStart ? reply.records.readInt32BE(8) + 12 : 0
      reply.records = flipped(reply.records, at + 61)
    }
    const reading = read(cluster)
    await expect(reading.run).rejects.toMatchObject({
      code: 'BATCH_CORRUPT',
      facts: {topic: TOPIC, partition: 0, offset: 2},
    })
    expect(reading.texts(0)).toEqual(['one', 'two'])
  })

  it('ends at once with CODEC_UNKNOWN, naming the offset, instead of fetching for ever what it cannot read', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.append(0, ['readable'])
    cluster.append(0, ['unreadable'])
    cluster.onReply = (reply, {partitions}) => {
      const batchBytes = reply.records.length === 0 ? 0 : reply.records.readInt32BE(8) + 12
      const at = partitions[0]!.offset === 0 ? batchBytes : 0
      if (at >= reply.records.length) return
      reply.records = Buffer.from(reply.records)
      reply.records.writeInt16BE(7, at + 21)
      resealed(reply.records.subarray(at))
    }
    const reading = read(cluster)
    await expect(reading.run).rejects.toMatchObject({
      code: 'CODEC_UNKNOWN',
      facts: {topic: TOPIC, partition: 0, offset: 1},
    })
    expect(reading.texts(0)).toEqual(['readable'])
    expect(cluster.fetches.length).toBeLessThan(5)
  })

  it('drops what was fetched when the position is moved, also what was asked for but had not come', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.append(0, numbered('r', 0, 10))
    cluster.append(0, numbered('r', 10, 20))
    const held = deferred()
    let calls = 0
    const reading = read(cluster, {
      limits: {partitionBytes: 200, answerBytes: 200},
      records: async () => {
        if (++calls > 1) return
        await held.promise
        reading.fetcher.seek({topic: TOPIC, partition: 0}, 5)
      },
    })
    await eventually('the next answer is asked for', () => cluster.fetches.length >= 2)
    held.resolve()
    await reading.until(0, 20)
    await reading.stop()
    expect(reading.texts(0)).toEqual([...numbered('r', 0, 10), ...numbered('r', 5, 20)])
  })

  it('holds two answers at most while the handler is slow', async () => {
    const cluster = new ScriptedCluster(1)
    for (let i = 0; i < 10; i++) cluster.append(0, ['x'.repeat(50)])
    const held = deferred()
    const reading = read(cluster, {
      limits: {partitionBytes: 150, answerBytes: 150},
      records: () => held.promise,
    })
    await eventually('the first is handed over', () => reading.batches.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(cluster.fetches).toHaveLength(2)
    held.resolve()
    await reading.until(0, 10)
    await reading.stop()
  })

  it('reads a batch that is larger than the limits, whichever partition it is in', async () => {
    const cluster = new ScriptedCluster(3)
    cluster.append(0, numbered('small', 0, 3))
    cluster.append(1, ['L'.repeat(5_000)])
    cluster.append(1, ['after'])
    cluster.append(2, ['M'.repeat(7_000)])
    const reading = read(cluster, {from: [0, 0, 0], limits: {partitionBytes: 500, answerBytes: 800}})
    await Promise.all([reading.until(0, 3), reading.until(1, 2), reading.until(2, 1)])
    await reading.stop()
    expect(reading.texts(1)).toEqual(['L'.repeat(5_000), 'after'])
  })

  it('hands over bit by bit what is large only when it is uncompressed, and fetches it once', async () => {
    const cluster = new ScriptedCluster(1)
    const value = Buffer.alloc(ENOUGH_INFLATED_BYTES / 2 + 1)
    for (let i = 0; i < 3; i++) cluster.appendGzipped(0, value)
    const reading = read(cluster, {limits: {partitionBytes: 2 ** 20, answerBytes: 2 ** 20}})
    await reading.until(0, 3)
    await reading.stop()
    expect(reading.batches.map(({records, nextOffset}) => [records.length, nextOffset])).toEqual([
      [2, 2],
      [1, 3],
    ])
    expect(cluster.fetches.filter(({partitions}) => partitions[0]!.offset < 3)).toHaveLength(1)
  })

  it('lets no busy partition starve the others', async () => {
    const cluster = new ScriptedCluster(4)
    for (let i = 0; i < 200; i++) cluster.append(0, ['busy'.repeat(50)])
    for (const partition of [1, 2, 3]) cluster.append(partition, ['quiet'])
    const reading = read(cluster, {from: [0, 0, 0, 0], limits: {partitionBytes: 1_000, answerBytes: 1_000}})
    await Promise.all([1, 2, 3].map((partition) => reading.until(partition, 1)))
    await reading.stop()
    for (const quiet of [1, 2, 3]) {
      expect(reading.batches.findIndex(({partition}) => partition === quiet)).toBeLessThan(6)
    }
  })

  it('moves over emptied batches, and tells', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.appendEmptied(0, 100)
    const reading = read(cluster)
    await reading.until(0, 100)
    cluster.append(0, ['after'])
    await reading.until(0, 101)
    await reading.stop()
    expect(reading.batches.map(({records, nextOffset}) => [records.length, nextOffset])).toEqual([
      [0, 100],
      [1, 101],
    ])
  })

  it('asks where to go on when the position is out of range, and again when that is, too', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.append(0, numbered('r', 0, 10))
    cluster.logStart = 4
    const answers = [50, 7]
    const reading = read(cluster, {from: [1], outOfRange: async () => answers.shift()!})
    await reading.until(0, 10)
    await reading.stop()
    expect(reading.outOfRange).toEqual([
      {start: 4, end: 10, position: 1},
      {start: 4, end: 10, position: 50},
    ])
    expect(reading.texts(0)).toEqual(numbered('r', 7, 10))
  })

  it('asks nobody when a leader only denied a position that it has', async () => {
    const cluster = new ScriptedCluster(1)
    cluster.append(0, numbered('r', 0, 10))
    let denials = 3
    cluster.onReply = (reply) => {
      if (denials-- <= 0) return
      reply.errorCode = 1
      reply.records = Buffer.alloc(0)
    }
    const reading = read(cluster, {from: [2]})
    await reading.until(0, 10)
    await reading.stop()
    expect(reading.outOfRange).toEqual([])
    expect(reading.texts(0)).toEqual(numbered('r', 2, 10))
  })

  it('ends with what the handler throws, after the call of another broker is through', async () => {
    const cluster = new ScriptedCluster(2)
    cluster.moveLeader(1, 2)
    for (const partition of [0, 1]) cluster.append(partition, ['x'])
    const failure = new Error('full')
    const held = deferred()
    let through = false
    const reading = read(cluster, {
      from: [0, 0],
      records: async ({partition}) => {
        if (partition === 0) {
          await eventually('both are called', () => reading.batches.length === 2)
          throw failure
        }
        await held.promise
        through = true
      },
    })
    setTimeout(() => held.resolve(), 50)
    await expect(reading.run).rejects.toBe(failure)
    expect(through).toBe(true)
  })

  it('begins no handler call once it was stopped, though an answer is there', async () => {
    const cluster = new ScriptedCluster(2)
    for (const partition of [0, 1]) cluster.append(partition, ['x'])
    const held = deferred()
    const reading = read(cluster, {from: [0, 0], records: () => held.promise})
    await eventually('the first is handed over', () => reading.batches.length === 1)
    const stopped = reading.stop()
    held.resolve()
    await stopped
    expect(reading.batches).toHaveLength(1)
  })

  it('uses the memory of an answer again once each of its batches was released, and not before', async () => {
    const cluster = new ScriptedCluster(2)
    for (const partition of [0, 1]) cluster.append(partition, ['x'])
    const frameMemory = new WatchedMemory()
    const reading = read(cluster, {from: [0, 0], frameMemory})
    await Promise.all([reading.until(0, 1), reading.until(1, 1)])
    await reading.stop()
    const [first, second] = reading.batches
    first!.release()
    first!.release()
    expect(frameMemory.given).toBe(0)
    second!.release()
    expect(frameMemory.given).toBe(1)
  })

  it('leaves the memory of an answer alone whose batch a handler released and then wanted more of', async () => {
    const cluster = new ScriptedCluster(1)
    const mib = Buffer.alloc(ENOUGH_INFLATED_BYTES)
    cluster.appendGzipped(0, mib)
    cluster.append(0, ['behind'])
    const frameMemory = new WatchedMemory()
    const givenAt: number[] = []
    const reading = read(cluster, {
      limits: {partitionBytes: 1_000_000, answerBytes: 1_000_000},
      frameMemory,
      records: async (batch) => {
        batch.release()
        givenAt.push(frameMemory.given)
      },
    })
    await reading.until(0, 2)
    await reading.stop()
    // Both came in one answer, and the second was decoded after the first was released.
    expect(cluster.fetches.filter(({partitions}) => partitions[0]?.offset === 0)).toHaveLength(1)
    expect(givenAt).toEqual([0, 0])
    expect(frameMemory.given).toBe(1)
  })
})

class WatchedMemory extends FrameMemory {
  given = 0
  constructor() {
    super(0)
  }
  override give(): void {
    this.given++
  }
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = copy[at]! ^ 0xff
  return copy
}

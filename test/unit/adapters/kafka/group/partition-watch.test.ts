import {describe, expect, it} from 'vitest'
import {PartitionWatch} from '../../../../../src/adapters/kafka/group/partition-watch.js'
import type {Cluster} from '../../../../../src/adapters/kafka/transport/cluster.js'
import {ManualClock} from '../clocks.js'

function watching(counts: Record<string, number | null>, topics = Object.keys(counts)) {
  const clock = new ManualClock()
  let refreshes = 0
  const cluster = {
    refreshMetadata: async () => {
      refreshes++
      if (counts['down'] !== undefined) throw new Error('the broker is away')
    },
    partitionCount: (topic: string) => counts[topic] ?? null,
  }
  const watch = new PartitionWatch(cluster as unknown as Cluster, topics, 10_000, clock)
  const look = (shared: Record<string, number>) => {
    const stop = new AbortController()
    const seen: (string | null)[] = []
    const done = watch
      .untilGrown(new Map(Object.entries(shared)), stop.signal)
      .then((topic) => seen.push(topic))
    const end = async () => {
      stop.abort()
      await done
    }
    return {seen, end}
  }
  return {clock, look, refreshes: () => refreshes}
}

describe('PartitionWatch', () => {
  it('tells the topic that has more partitions than were shared out', async () => {
    const counts = {a: 2, b: 3}
    const {clock, look} = watching(counts)
    const {seen, end} = look({a: 2, b: 3})
    await clock.pass(30_000)
    expect(seen).toEqual([])
    counts.b = 4
    await clock.pass(10_000)
    expect(seen).toEqual(['b'])
    await end()
  })

  it('looks soon for what happened while this member was away', async () => {
    const {clock, look} = watching({a: 4})
    const {seen} = look({a: 2})
    await clock.pass(1_000)
    expect(seen).toEqual(['a'])
  })

  it('takes a topic that seems to have fewer, or none, for stale metadata', async () => {
    const {clock, look} = watching({a: 1, b: null})
    const {seen, end} = look({a: 2, b: 2})
    await clock.pass(60_000)
    await end()
    expect(seen).toEqual([null])
  })

  it('asks a leader that did not see a topic to look again, once', async () => {
    const {clock, look} = watching({a: 1, b: 1})
    const first = look({a: 1})
    await clock.pass(1_000)
    expect(first.seen).toEqual(['b'])
    const second = look({a: 1})
    await clock.pass(60_000)
    await second.end()
    expect(second.seen).toEqual([null])
  })

  it('goes on through outages', async () => {
    const counts: Record<string, number> = {a: 2, down: 1}
    const {clock, look, refreshes} = watching(counts, ['a'])
    const {seen} = look({a: 2})
    await clock.pass(21_000)
    expect(refreshes()).toBe(3)
    delete counts['down']
    counts['a'] = 3
    await clock.pass(10_000)
    expect(seen).toEqual(['a'])
  })
})

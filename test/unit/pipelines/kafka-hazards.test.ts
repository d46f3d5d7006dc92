/** What the Consumer class of kafkajs does to deliveries when groups regroup and logs have holes; see docs/hazards.md. */
import {describe, expect, it} from 'vitest'
import {StoreDestination} from '../../support/delivery.js'
import {Gate, recordsFor, text, TopicForTest, until} from '../../support/topic.js'

describe('a rebalance', () => {
  it('does not leave a partition paused whose destination was too slow for it', async () => {
    const topic = await TopicForTest.with()
    const gate = new Gate()
    for (let n = 0; n < 50; n++) await topic.send(recordsFor(`f${n}`, text(15)))
    const member = topic.start({
      destination: new StoreDestination(topic.store, gate.pass),
      options: {concurrency: 1},
    })
    await gate.reached
    topic.kafka.forceRebalance('g')
    gate.open()
    await until(() => expect(topic.events('assignment')).toHaveLength(2))
    await until(() => expect(topic.store.deliveries).toHaveLength(50))
    await topic.send(recordsFor('after', text(15)))
    await until(() => expect(topic.store.content('after')).toBeDefined())
    await member.stop()
  })

  it('while a batch is being handled lets that batch move no position of the next assignment', async () => {
    const topic = await TopicForTest.with(2)
    for (let n = 0; n < 40; n++) await topic.send(recordsFor(`f${n}`, text(25)), {partition: n % 2})
    const gate = new Gate()
    const slow = topic.start({instanceId: 'slow', destination: new StoreDestination(topic.store, gate.pass)})
    await gate.reached
    const joining = topic.start({instanceId: 'joining', destination: new StoreDestination(topic.store)})
    setTimeout(gate.open, 5)
    await until(() => expect(new Set(topic.store.deliveries).size).toBe(40))
    await until(async () => expect(await topic.committed()).toEqual([60, 60]))
    await slow.stop()
    await joining.stop()
  })

  it('lets no commit of an owner that has lost its partitions move those of the new one back', async () => {
    const topic = await TopicForTest.with()
    const gate = new Gate()
    await topic.send(recordsFor('a', text(25)))
    const zombie = topic.start({destination: new StoreDestination(topic.store, gate.pass)})
    await gate.reached
    const [member] = await topic.kafka.admin().groupMembers('g')
    topic.kafka.expireMember('g', member!.memberId, {noticedAfter: new Promise(() => undefined)})
    await topic.send(recordsFor('b', text(25)))
    await topic.run()
    expect(await topic.committed()).toEqual([6])
    gate.open()
    // It reads on, and what it delivers changes nothing: its commits are refused.
    await until(() => expect(topic.store.deliveries).toEqual(['a', 'b', 'a', 'b']))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await topic.committed()).toEqual([6])
    await zombie.stop()
    expect(await topic.committed()).toEqual([6])
  })
})

describe('a log with holes', () => {
  it('of a compacted topic is read and committed over them, whatever of a file they took', async () => {
    const topic = await TopicForTest.with()
    for (let n = 0; n < 10; n++) await topic.send(recordsFor(`f${n}`, text(25)))
    const partition = {topic: 't', partition: 0}
    topic.kafka.compactLog(partition, 0, 6)
    topic.kafka.compactLog(partition, 13, 14)
    topic.kafka.compactLog(partition, 27, 30)
    const {report} = await topic.run()
    expect(topic.store.deliveries).toEqual(['f2', 'f3', 'f5', 'f6', 'f7', 'f8'])
    expect(report.problems).toMatchObject([{path: 'f4', outcome: 'incomplete', missingChunks: '2'}])
    expect(await topic.committed()).toEqual([12])
  })

  it('with nothing but aborted records at its end is committed up to there, and --once ends', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('a', text(25)))
    topic.kafka.appendHole({topic: 't', partition: 0}, 100)
    expect((await topic.run()).exitCode).toBe(0)
    expect(await topic.committed()).toEqual([103])
  })
})

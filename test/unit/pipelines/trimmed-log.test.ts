import {describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../../src/core/errors.js'
import {StoreDestination} from '../../support/delivery.js'
import {Gate, mismatching, recordsFor, text, TopicForTest, until, uploadId} from '../../support/topic.js'

const P0 = {topic: 't', partition: 0}

describe('retention removed records that were not done, while nobody read', () => {
  it('is said once and loudly, with the offsets, and ends with exit code 4', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('half', text(30)).slice(0, 2))
    await topic.run()
    topic.kafka.trimLog(P0, 2)
    const {report, exitCode} = await topic.run()
    expect(topic.warnings('LOG_TRIMMED')).toMatchObject([{partition: 0, offsets: 2, start: 2}])
    expect(exitCode).toBe(4)
    expect(report.problems).toEqual([])
    expect(await topic.committed()).toEqual([2])

    expect((await topic.run()).exitCode).toBe(0)
    expect(topic.warnings('LOG_TRIMMED')).toHaveLength(1)
  })

  it('counts only what was open: finished files above it are not lost', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('half', text(20)).slice(0, 1))
    await topic.send(recordsFor('whole', text(30)))
    await topic.run()
    topic.kafka.trimLog(P0, 3)
    await topic.run()
    expect(topic.warnings('LOG_TRIMMED')).toMatchObject([{offsets: 1, start: 3}])
    expect(topic.store.deliveries).toEqual(['whole'])
  })

  it('names a file whose head was among them as soon as its tail is seen', async () => {
    const topic = await TopicForTest.with()
    const records = recordsFor('a/b', text(30))
    await topic.send(records.slice(0, 2))
    await topic.run()
    await topic.send(records.slice(2))
    topic.kafka.trimLog(P0, 2)
    const {report, exitCode} = await topic.run()
    expect(exitCode).toBe(4)
    expect(report.problems).toMatchObject([
      {path: 'a/b', outcome: 'incomplete', code: 'FILE_INCOMPLETE', missingChunks: '1-2'},
    ])
    expect(report.problems[0]!.reason).toMatch(/lost records before they were read: upload it again/)
  })
})

describe('the topic is trimmed under a running member', () => {
  it('costs a file nothing whose records it has read: the rest of its chunks complete it', async () => {
    const topic = await TopicForTest.with()
    const records = recordsFor('slow', text(30))
    await topic.send(records.slice(0, 2))
    const member = topic.start()
    await until(async () => expect(topic.events('assignment')).toHaveLength(1))
    await new Promise((resolve) => setTimeout(resolve, 5))
    topic.kafka.trimLog(P0, 2)
    await topic.send(records.slice(2))
    await until(async () => expect(await topic.committed()).toEqual([3]))
    await member.stop()
    expect(topic.store.content('slow')).toBe('a'.repeat(30))
    expect(topic.warnings('LOG_TRIMMED')).toEqual([])
  })

  /** Reads the first two chunks of `open`, and is behind when the log is trimmed up to `start`. */
  async function behind(start: number) {
    const topic = await TopicForTest.with()
    const records = recordsFor('open', text(30))
    const gate = new Gate()
    await topic.send(records.slice(0, 2))
    const member = topic.start({destination: new StoreDestination(topic.store, gate.pass)})
    await gate.reached
    await topic.send(recordsFor('unread', text(25)))
    topic.kafka.trimLog(P0, start)
    gate.open()
    return {topic, member, records}
  }

  it('names the open files whose missing chunks may be gone, and keeps what it has of them', async () => {
    const {topic, member, records} = await behind(4)
    await until(async () => expect(topic.warnings('LOG_TRIMMED')).toHaveLength(1))
    expect(topic.warnings('LOG_TRIMMED')).toMatchObject([{offsets: 2, start: 4, paths: ['open']}])
    expect(topic.events('file.incomplete')).toMatchObject([
      {path: 'open', code: 'FILE_INCOMPLETE', missingChunks: '3'},
    ])
    await topic.send(records.slice(2))
    await until(async () => expect(topic.store.deliveries).toEqual(['open']))
    const {report} = await member.stop()
    expect(report.problems.map(({path}) => path)).toEqual(['unread'])
    expect(report.problems[0]).toMatchObject({outcome: 'incomplete', missingChunks: '1-2'})
  })

  it('leaves the records that it has read open, so that whoever comes next says what became of them', async () => {
    const {topic, member} = await behind(5)
    await until(async () => expect(topic.warnings('LOG_TRIMMED')).toHaveLength(1))
    await member.stop()
    expect(await topic.committed()).toEqual([0])
    await topic.run()
    expect(topic.warnings('LOG_TRIMMED')).toMatchObject([{offsets: 3}, {offsets: 2, start: 5}])
    expect(await topic.committed()).toEqual([5])
  })

  it('names a file that was to be read again, and is gone', async () => {
    const topic = await TopicForTest.with()
    const gate = new Gate()
    await topic.send(mismatching(recordsFor('bad', text(20))))
    const member = topic.start({destination: new StoreDestination(topic.store, gate.pass)})
    await gate.reached
    topic.kafka.trimLog(P0, 2)
    gate.open()
    await until(async () => expect(topic.reporter.paths('file.failed')).toEqual(['bad']))
    expect(topic.events('file.failed')).toMatchObject([{code: 'RECORDS_GONE'}])
    expect(topic.warnings('LOG_TRIMMED')).toMatchObject([{offsets: 2, paths: ['bad']}])
    await member.stop()
    expect(await topic.committed()).toEqual([2])
  })

  it('names a file that is held, once it can never be read again', async () => {
    const topic = await TopicForTest.with()
    await topic.send(recordsFor('held', text(20)))
    await topic.send(recordsFor('slow', text(20)).slice(0, 1))
    const gate = new Gate()
    const destination = new StoreDestination(topic.store, gate.pass)
    destination.failOpen = ({path}) =>
      path === 'held' ? new StreamtoolError('FILE_NAME_CONFLICT', 'a directory is in the way') : null
    const member = topic.start({destination})
    await gate.reached
    await topic.send(recordsFor('unread', text(5), {uploadId: uploadId(7)}))
    topic.kafka.trimLog(P0, 4)
    gate.open()
    await until(async () => expect(topic.warnings('LOG_TRIMMED')).toHaveLength(1))
    expect(topic.warnings('LOG_TRIMMED')).toMatchObject([{offsets: 3, paths: ['held', 'slow']}])
    expect(topic.events('file.failed')).toMatchObject([{path: 'held', code: 'RECORDS_GONE'}])
    await member.stop()
  })
})

import {appendFile, readFile, stat, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import {GroupCoordinator} from '../../../../../src/sandbox/broker/groups/coordinator.js'
import {KafkaError} from '../../../../../src/sandbox/broker/protocol/errors.js'
import {rememberingLogger, temporaryDirectory} from '../../../../support/sandbox/temporary.js'

async function openCoordinator(given?: string) {
  const journalPath = given ?? join(await temporaryDirectory(), 'groups.journal')
  const {logger, lines} = rememberingLogger()
  const hasPartition = (topic: string, partition: number) => topic.startsWith('t') && partition < 3
  const coordinator = new GroupCoordinator({journalPath, hasPartition, logger})
  let isOpen = true
  const close = () => {
    if (isOpen) coordinator.close()
    isOpen = false
  }
  onTestFinished(close)
  return {coordinator, journalPath, logged: lines, close}
}

const anonymous = {generation: -1, memberId: '', instanceId: null}

function commit(
  coordinator: GroupCoordinator,
  offset: number,
  {groupId = 'g', topic = 't', partition = 0, metadata = `at ${offset}` as string | null} = {},
): number {
  const topics = [{topic, partitions: [{partition, offset, metadata}]}]
  return coordinator.commit({...anonymous, groupId, topics})[0]!.partitions[0]!.error
}

const committed = (coordinator: GroupCoordinator, groupId = 'g') =>
  coordinator.fetchOffsets({groupId, topics: null})

describe('committed offsets', () => {
  it('are told with their metadata, those that were asked for or all', async () => {
    const {coordinator} = await openCoordinator()
    commit(coordinator, 5)
    commit(coordinator, 7, {partition: 2, metadata: 'ü\n"'})
    commit(coordinator, 6, {metadata: null})
    const first = {partition: 0, offset: 6, metadata: ''}
    expect(committed(coordinator)).toEqual([
      {topic: 't', partitions: [first, {partition: 2, offset: 7, metadata: 'ü\n"'}]},
    ])
    expect(coordinator.fetchOffsets({groupId: 'g', topics: [{topic: 't', partitions: [0, 1]}]})).toEqual([
      {topic: 't', partitions: [first, {partition: 1, offset: -1, metadata: ''}]},
    ])
    expect(committed(coordinator, 'other')).toEqual([])
  })

  it('survive the death of the process without being asked to', async () => {
    const {coordinator, journalPath} = await openCoordinator()
    commit(coordinator, 5)
    commit(coordinator, 8)
    commit(coordinator, 1, {groupId: 'h', topic: 't2'})
    const reopened = (await openCoordinator(journalPath)).coordinator
    expect(committed(reopened)).toEqual(committed(coordinator))
    expect(reopened.list()).toEqual([
      {groupId: 'g', protocolType: ''},
      {groupId: 'h', protocolType: ''},
    ])
    expect(reopened.describe('g')).toMatchObject({state: 'Empty', members: []})
  })

  it('lose a last line that was not written whole, and nothing else', async () => {
    const {coordinator, journalPath, close} = await openCoordinator()
    commit(coordinator, 5)
    const {size} = await stat(journalPath)
    commit(coordinator, 6)
    close()
    const bytes = await readFile(journalPath)
    for (let length = size; length < bytes.length; length++) {
      await writeFile(journalPath, bytes)
      await truncate(journalPath, length)
      const again = await openCoordinator(journalPath)
      expect(committed(again.coordinator)[0]!.partitions[0]!.offset).toBe(5)
      expect(again.logged).toHaveLength(length === size ? 0 : 1)
      expect(commit(again.coordinator, 7)).toBe(0)
      again.close()
      expect(committed((await openCoordinator(journalPath)).coordinator)[0]!.partitions[0]!.offset).toBe(7)
    }
  })

  it('do not read on behind a line that is damaged', async () => {
    const {coordinator, journalPath, close} = await openCoordinator()
    commit(coordinator, 5)
    close()
    const bytes = await readFile(journalPath, 'utf8')
    await appendFile(journalPath, bytes.replace('"offset":5', '"offset":9') + bytes)
    expect(committed((await openCoordinator(journalPath)).coordinator)[0]!.partitions[0]!.offset).toBe(5)
  })

  it('are kept in a journal that does not grow for ever', async () => {
    const {coordinator, journalPath, close} = await openCoordinator()
    const metadata = 'm'.repeat(4096)
    for (let offset = 1; offset <= 2500; offset++)
      commit(coordinator, offset, {metadata, partition: offset % 3})
    expect((await stat(journalPath)).size).toBeLessThan(5 * 2 ** 20)
    const before = committed(coordinator)
    close()
    const reopened = (await openCoordinator(journalPath)).coordinator
    expect(committed(reopened)).toEqual(before)
    expect(before[0]!.partitions.map(({offset}) => offset).sort()).toEqual([2498, 2499, 2500])
  })

  it('go with their topic, and with their group', async () => {
    const {coordinator, journalPath} = await openCoordinator()
    commit(coordinator, 1)
    commit(coordinator, 2, {topic: 't2'})
    commit(coordinator, 3, {groupId: 'h'})
    coordinator.topicDeleted('t2')
    coordinator.delete('h')
    for (const each of [coordinator, (await openCoordinator(journalPath)).coordinator]) {
      expect(committed(each).map(({topic}) => topic)).toEqual(['t'])
      expect(committed(each, 'h')).toEqual([])
      expect(each.describe('h').state).toBe('Dead')
      expect(() => each.delete('h')).toThrow(expect.objectContaining({code: KafkaError.GROUP_ID_NOT_FOUND}))
    }
  })

  it('are refused for unknown partitions, with more metadata than fits, and by generation of an unknown group', async () => {
    const {coordinator} = await openCoordinator()
    expect(commit(coordinator, 1, {topic: 'x'})).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION)
    expect(commit(coordinator, 1, {partition: 3})).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION)
    expect(commit(coordinator, 1, {metadata: 'm'.repeat(4097)})).toBe(KafkaError.OFFSET_METADATA_TOO_LARGE)
    expect(committed(coordinator)).toEqual([])
    expect(commit(coordinator, 1, {metadata: 'm'.repeat(4096)})).toBe(KafkaError.NONE)

    const topics = [{topic: 't', partitions: [{partition: 0, offset: 9, metadata: ''}]}]
    const late = {groupId: 'new', generation: 3, memberId: 'm', instanceId: null, topics}
    expect(coordinator.commit(late)[0]!.partitions[0]!.error).toBe(KafkaError.ILLEGAL_GENERATION)
  })

  it('take of one request what is right in it', async () => {
    const {coordinator} = await openCoordinator()
    const at = (partition: number, metadata = '') => ({partition, offset: 1, metadata})
    const topics = [{topic: 't', partitions: [at(0), at(9), at(1, 'm'.repeat(5000)), at(2)]}]
    const errors = coordinator
      .commit({...anonymous, groupId: 'g', topics})[0]!
      .partitions.map(({error}) => error)
    expect(errors).toEqual([
      0,
      KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
      KafkaError.OFFSET_METADATA_TOO_LARGE,
      0,
    ])
    expect(committed(coordinator)[0]!.partitions.map(({partition}) => partition)).toEqual([0, 2])
  })
})

describe('a group', () => {
  const joinRequest = {
    ...{groupId: 'g', memberId: '', instanceId: null, protocolType: 'consumer', isGivenIdFirst: false},
    ...{
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocols: [{name: 'p', metadata: Buffer.alloc(0)}],
    },
  }
  const client = {clientId: 'c', clientHost: '/h'}

  it('has an id, sessions of a sensible length, and only members that it knows', async () => {
    const {coordinator} = await openCoordinator()
    const refusals = [
      [{groupId: ''}, 'INVALID_GROUP_ID'],
      [{sessionTimeoutMs: 99}, 'INVALID_SESSION_TIMEOUT'],
      [{sessionTimeoutMs: 1_800_001}, 'INVALID_SESSION_TIMEOUT'],
      [{memberId: 'from before the restart'}, 'UNKNOWN_MEMBER_ID'],
    ] as const
    for (const [changed, name] of refusals) {
      const joining = coordinator.join({...joinRequest, ...changed}, client)
      await expect(joining).rejects.toEqual(expect.objectContaining({code: KafkaError[name]}))
    }
    expect(coordinator.list()).toEqual([])
  })

  it('cannot be deleted, or committed to from outside, while it has members', async () => {
    const {coordinator} = await openCoordinator()
    const {memberId} = await coordinator.join(joinRequest, client)
    expect(() => coordinator.delete('g')).toThrow(expect.objectContaining({code: KafkaError.NON_EMPTY_GROUP}))
    expect(commit(coordinator, 1)).toBe(KafkaError.UNKNOWN_MEMBER_ID)
    expect(coordinator.leave('g', [{memberId, instanceId: null}])).toMatchObject([{memberId, error: 0}])
    expect(commit(coordinator, 1)).toBe(0)
    coordinator.delete('g')
    expect(coordinator.list()).toEqual([])
    expect(coordinator.leave('g', [{memberId, instanceId: null}])).toMatchObject([
      {error: KafkaError.UNKNOWN_MEMBER_ID},
    ])
  })
})

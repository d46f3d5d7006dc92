import {describe, expect, it} from 'vitest'
import * as administration from '../../../../../src/sandbox/broker/protocol/administration.js'
import * as cluster from '../../../../../src/sandbox/broker/protocol/cluster.js'
import * as membership from '../../../../../src/sandbox/broker/protocol/group-membership.js'
import * as offsets from '../../../../../src/sandbox/broker/protocol/group-offsets.js'
import * as records from '../../../../../src/sandbox/broker/protocol/records.js'
import type {Api} from '../../../../../src/sandbox/broker/protocol/schema.js'
import {WireReader} from '../../../../../src/sandbox/broker/protocol/wire-reader.js'
import {WireWriter} from '../../../../../src/sandbox/broker/protocol/wire-writer.js'
import {kafkajsRequests, makeBatch} from '../../../../support/sandbox/kafkajs-internals.js'

/**
 * kafkajs's codecs were written by others, so agreement with them in both directions is evidence: it encodes a
 * request and we read it, we write an answer and it decodes it, in every version that both know.
 */
interface Exchange {
  readonly api: Api<unknown, unknown>
  /** What kafkajs calls it, where that differs. */
  readonly theirName?: string
  /** kafkajs's arguments. */
  readonly theirs: object
  /** Our reading of them, in the newest version. */
  readonly request: unknown
  /** For our own writing, where the versions before the newest differ in more than what they leave out. */
  readonly olderRequest?: unknown
  readonly response: unknown
  /** Parts of kafkajs's reading of our answer, in the newest version. */
  readonly decoded: object
}

const exchange = <Request, Response>(
  parts: Omit<Exchange, 'api' | 'response'> & {api: Api<Request, Response>; response: Response},
) => parts as unknown as Exchange

const batch = await makeBatch({values: ['value']})
const member = {groupId: 'g', memberId: 'm', groupInstanceId: 'i'}
const ours = {groupId: 'g', memberId: 'm', instanceId: 'i', generation: 7}

const EXCHANGES: readonly Exchange[] = [
  exchange({
    api: cluster.metadata,
    theirs: {topics: ['t', 'ü'], allowAutoTopicCreation: false},
    request: {topics: ['t', 'ü'], mayCreate: false},
    response: {
      nodes: [{nodeId: 1, host: 'h', port: 9}],
      clusterId: 'c',
      controllerId: 1,
      topics: [
        {error: 3, topic: 't', partitions: [{partition: 2, leader: 1, replicas: [1], inSyncReplicas: [1]}]},
      ],
    },
    decoded: {
      brokers: [{nodeId: 1, host: 'h', port: 9, rack: null}],
      clusterId: 'c',
      controllerId: 1,
      topicMetadata: [
        {
          topicErrorCode: 3,
          topic: 't',
          isInternal: false,
          partitionMetadata: [
            {partitionErrorCode: 0, partitionId: 2, leader: 1, replicas: [1], isr: [1], offlineReplicas: []},
          ],
        },
      ],
    },
  }),
  exchange({
    api: cluster.findCoordinator,
    theirName: 'GroupCoordinator',
    theirs: {coordinatorKey: 'k', groupId: 'k', coordinatorType: 1},
    request: {key: 'k', keyType: 1},
    response: {error: 0, message: 'm', nodeId: 1, host: 'h', port: 9},
    decoded: {errorMessage: 'm', coordinator: {nodeId: 1, host: 'h', port: 9}},
  }),
  exchange({
    api: records.fetch,
    theirs: {
      replicaId: -1,
      maxWaitTime: 5,
      minBytes: 6,
      maxBytes: 7,
      isolationLevel: 1,
      rackId: 'r',
      topics: [{topic: 't', partitions: [{partition: 3, fetchOffset: 8, maxBytes: 9}]}],
    },
    request: {
      maxWaitMs: 5,
      minBytes: 6,
      maxBytes: 7,
      sessionEpoch: -1,
      topics: [{topic: 't', partitions: [{partition: 3, offset: 8, maxBytes: 9}]}],
    },
    response: {
      error: 0,
      topics: [
        {
          topic: 't',
          partitions: [
            {partition: 3, error: 1, highWatermark: 5, lastStableOffset: 5, startOffset: 2, records: batch},
          ],
        },
      ],
    },
    decoded: {
      responses: [
        {
          topicName: 't',
          partitions: [
            expect.objectContaining({
              partition: 3,
              errorCode: 1,
              highWatermark: '5',
              lastStableOffset: '5',
              lastStartOffset: '2',
              messages: [expect.objectContaining({value: Buffer.from('value'), offset: '0'})],
            }),
          ],
        },
      ],
    },
  }),
  exchange({
    api: records.listOffsets,
    theirs: {
      replicaId: -1,
      isolationLevel: 1,
      topics: [{topic: 't', partitions: [{partition: 1, timestamp: 1_700_000_000_000}]}],
    },
    request: {topics: [{topic: 't', partitions: [{partition: 1, timestampMs: 1_700_000_000_000}]}]},
    response: {topics: [{topic: 't', partitions: [{partition: 1, error: 0, timestampMs: 4, offset: 5}]}]},
    decoded: {
      responses: [{topic: 't', partitions: [{partition: 1, errorCode: 0, timestamp: '4', offset: '5'}]}],
    },
  }),
  exchange({
    api: records.deleteRecords,
    theirs: {topics: [{topic: 't', partitions: [{partition: 1, offset: '6'}]}]},
    request: {topics: [{topic: 't', partitions: [{partition: 1, offset: 6}]}]},
    response: {topics: [{topic: 't', partitions: [{partition: 1, startOffset: 6, error: 0}]}]},
    decoded: {topics: [{topic: 't', partitions: [{partition: 1, lowWatermark: 6n, errorCode: 0}]}]},
  }),
  exchange({
    api: records.initProducerId,
    theirs: {transactionalId: 'x', transactionTimeout: 1},
    request: {transactionalId: 'x'},
    response: {error: 0, producerId: 5, producerEpoch: 6},
    decoded: {producerId: '5', producerEpoch: 6},
  }),
  exchange({
    api: membership.joinGroup,
    theirs: {
      ...member,
      sessionTimeout: 1,
      rebalanceTimeout: 2,
      protocolType: 'consumer',
      groupProtocols: [{name: 'p', metadata: Buffer.from('x')}],
    },
    request: {
      ...{groupId: 'g', memberId: 'm', instanceId: 'i'},
      sessionTimeoutMs: 1,
      rebalanceTimeoutMs: 2,
      protocolType: 'consumer',
      protocols: [{name: 'p', metadata: Buffer.from('x')}],
      isGivenIdFirst: true,
    },
    response: {
      ...{error: 0, generation: 3, protocol: 'p', leaderId: 'l', memberId: 'm'},
      members: [{memberId: 'm', instanceId: 'i', metadata: Buffer.from('x')}],
    },
    decoded: {
      ...{generationId: 3, groupProtocol: 'p', leaderId: 'l', memberId: 'm'},
      members: [{memberId: 'm', groupInstanceId: 'i', memberMetadata: Buffer.from('x')}],
    },
  }),
  exchange({
    api: membership.syncGroup,
    theirs: {
      ...member,
      generationId: 7,
      groupAssignment: [{memberId: 'n', memberAssignment: Buffer.from('a')}],
    },
    request: {...ours, assignments: [{memberId: 'n', assignment: Buffer.from('a')}]},
    response: {error: 0, assignment: Buffer.from('a')},
    decoded: {memberAssignment: Buffer.from('a')},
  }),
  exchange({
    api: membership.heartbeat,
    theirs: {...member, groupGenerationId: 7},
    request: ours,
    response: {error: 27},
    decoded: {errorCode: 27},
  }),
  exchange({
    api: membership.leaveGroup,
    // kafkajs drops the instance id on the way to its encoder.
    theirs: {groupId: 'g', memberId: 'm', members: [{memberId: 'm'}]},
    request: {groupId: 'g', memberId: null, members: [{memberId: 'm', instanceId: null}]},
    olderRequest: {groupId: 'g', memberId: 'm', members: []},
    response: {error: 0, members: [{memberId: 'm', instanceId: 'i', error: 25}]},
    decoded: {errorCode: 0, members: [{memberId: 'm', groupInstanceId: 'i', errorCode: 25}]},
  }),
  exchange({
    api: offsets.offsetCommit,
    theirs: {
      ...member,
      groupGenerationId: 7,
      topics: [{topic: 't', partitions: [{partition: 1, offset: '9', metadata: 'text'}]}],
    },
    request: {
      ...{groupId: 'g', memberId: 'm', instanceId: null, generation: 7},
      topics: [{topic: 't', partitions: [{partition: 1, offset: 9, metadata: 'text'}]}],
    },
    response: {topics: [{topic: 't', partitions: [{partition: 1, error: 12}]}]},
    decoded: {responses: [{topic: 't', partitions: [{partition: 1, errorCode: 12}]}]},
  }),
  exchange({
    api: offsets.offsetFetch,
    theirs: {groupId: 'g', topics: [{topic: 't', partitions: [{partition: 1}]}]},
    request: {groupId: 'g', topics: [{topic: 't', partitions: [1]}]},
    response: {topics: [{topic: 't', partitions: [{partition: 1, offset: 9, metadata: 'text'}]}]},
    decoded: {
      responses: [{topic: 't', partitions: [{partition: 1, offset: '9', metadata: 'text', errorCode: 0}]}],
    },
  }),
  exchange({
    api: administration.describeGroups,
    theirs: {groupIds: ['g']},
    request: {groupIds: ['g']},
    response: {
      groups: [
        {
          ...{error: 0, groupId: 'g', state: 'Stable', protocolType: 'consumer', protocol: 'p'},
          members: [
            {
              ...{memberId: 'm', instanceId: null, clientId: 'c', clientHost: '/h'},
              metadata: Buffer.from('x'),
              assignment: Buffer.from('a'),
            },
          ],
        },
      ],
    },
    decoded: {
      groups: [
        {
          ...{errorCode: 0, groupId: 'g', state: 'Stable', protocolType: 'consumer', protocol: 'p'},
          members: [
            {
              ...{memberId: 'm', clientId: 'c', clientHost: '/h'},
              memberMetadata: Buffer.from('x'),
              memberAssignment: Buffer.from('a'),
            },
          ],
        },
      ],
    },
  }),
  exchange({
    api: administration.listGroups,
    theirs: {},
    request: null,
    response: {groups: [{groupId: 'g', protocolType: 'consumer'}]},
    decoded: {errorCode: 0, groups: [{groupId: 'g', protocolType: 'consumer'}]},
  }),
  exchange({
    api: administration.deleteGroups,
    theirs: ['g', 'h'],
    request: {groupIds: ['g', 'h']},
    response: {groups: [{groupId: 'g', error: 0}]},
    decoded: {results: [{groupId: 'g', errorCode: 0}]},
  }),
  exchange({
    api: administration.createTopics,
    theirs: {
      topics: [
        {
          ...{topic: 't', numPartitions: 3, replicationFactor: 1},
          replicaAssignment: [{partition: 0, replicas: [1]}],
          configEntries: [{name: 'n', value: null}],
        },
      ],
      validateOnly: true,
    },
    request: {
      topics: [
        {
          ...{topic: 't', partitionCount: 3, replicationFactor: 1},
          assignments: [{partition: 0, nodes: [1]}],
          config: [{name: 'n', value: null}],
        },
      ],
      validateOnly: true,
    },
    response: {topics: [{topic: 't', error: 36, message: 'there'}]},
    decoded: {topicErrors: [{topic: 't', errorCode: 36, errorMessage: 'there'}]},
  }),
  exchange({
    api: administration.createPartitions,
    theirs: {topicPartitions: [{topic: 't', count: 5, assignments: [[1], [2]]}], validateOnly: true},
    request: {topics: [{topic: 't', partitionCount: 5}], validateOnly: true},
    response: {topics: [{topic: 't', error: 0, message: null}]},
    decoded: {topicErrors: [{topic: 't', errorCode: 0, errorMessage: null}]},
  }),
  exchange({
    api: administration.deleteTopics,
    theirs: {topics: ['t']},
    request: {topics: ['t']},
    response: {topics: [{topic: 't', error: 3}]},
    decoded: {topicErrors: [{topic: 't', errorCode: 3}]},
  }),
  exchange({
    api: administration.describeConfigs,
    theirs: {resources: [{type: 2, name: 't', configNames: ['a']}], includeSynonyms: true},
    request: {resources: [{type: 2, name: 't', configNames: ['a']}]},
    response: {
      resources: [
        {
          ...{error: 0, message: null, type: 2, name: 't'},
          entries: [{name: 'a', value: '1', isReadOnly: true, source: 5}],
        },
      ],
    },
    decoded: {
      resources: [
        expect.objectContaining({
          resourceName: 't',
          configEntries: [
            expect.objectContaining({configName: 'a', configValue: '1', readOnly: true, isDefault: true}),
          ],
        }),
      ],
    },
  }),
  exchange({
    api: administration.alterConfigs,
    theirs: {resources: [{type: 2, name: 't', configEntries: [{name: 'a', value: '1'}]}], validateOnly: true},
    request: {resources: [{type: 2, name: 't', config: [{name: 'a', value: '1'}]}], validateOnly: true},
    response: {resources: [{error: 40, message: 'no', type: 2, name: 't'}]},
    decoded: {resources: [{errorCode: 40, errorMessage: 'no', resourceType: 2, resourceName: 't'}]},
  }),
]

const range = ([min, max]: readonly [number, number]) =>
  Array.from({length: max - min + 1}, (_, i) => min + i)

/** kafkajs knows fewer versions of some. */
const NEWEST_OF_KAFKAJS: Record<string, number> = {OffsetCommit: 5, DescribeGroups: 2, DeleteTopics: 1}

describe.each(EXCHANGES)('$api.name', ({api, theirName = api.name, theirs, request, ...rest}) => {
  const {olderRequest = request, response, decoded} = rest
  const newest = NEWEST_OF_KAFKAJS[api.name] ?? api.versions[1]
  const versions = range([api.versions[0], newest])
  const codec = (version: number) => kafkajsRequests[theirName]!.protocol({version})(theirs)
  const reading = (field: Api<unknown, unknown>['request'], bytes: Buffer, version: number) => {
    const reader = new WireReader(bytes)
    const value = field.read(reader, version)
    expect(() => reader.int8(), 'everything was read').toThrow('past the end')
    return value
  }
  const writing = (field: Api<unknown, unknown>['request'], value: unknown, version: number) => {
    const writer = new WireWriter()
    field.write(writer, value, version)
    return Buffer.concat(writer.finish())
  }

  it.each(versions)('reads what kafkajs writes in version %i', async (version) => {
    const {request: encoder} = codec(version)
    expect(encoder).toMatchObject({apiKey: api.key, apiVersion: version})
    const read = reading(api.request, (await encoder.encode()).buffer, version)
    if (version === newest) expect(read).toEqual(request)
    else if (request !== null)
      expect(Object.keys(read as object).sort()).toEqual(Object.keys(request as object).sort())
  })

  it.each(versions)('writes what kafkajs reads in version %i', async (version) => {
    const answer = await codec(version).response.decode(writing(api.response, response, version))
    if (version === newest) expect(answer).toMatchObject(decoded)
  })

  it.each(range(api.versions))('reads its own writing, to the last byte, in version %i', (version) => {
    for (const [field, value] of [
      [api.request, version === newest ? request : olderRequest],
      [api.response, response],
    ] as const) {
      const bytes = writing(field, value, version)
      expect(writing(field, reading(field, bytes, version), version)).toEqual(bytes)
    }
  })
})

describe('Produce', () => {
  const codec = (version: number) =>
    kafkajsRequests['Produce']!.protocol({version})({
      acks: 1,
      timeout: 5,
      topicData: [
        {topic: 't', partitions: [{partition: 1, messages: [{key: 'k', value: 'v', timestamp: 1}]}]},
      ],
    })

  it.each([3, 4, 5, 6, 7])('reads what kafkajs writes, and is read by it, in version %i', async (version) => {
    const {request, response} = codec(version)
    const read = records.produce.request.read(new WireReader((await request.encode()).buffer), version)
    expect(read).toMatchObject({transactionalId: null, acks: 1, topics: [{topic: 't'}]})
    expect(read.topics[0]!.partitions[0]!.records.subarray(-4, -1).toString()).toContain('v')

    const writer = new WireWriter()
    const partition = {partition: 1, error: 10, baseOffset: 2 ** 40, startOffset: 3}
    records.produce.response.write(writer, {topics: [{topic: 't', partitions: [partition]}]}, version)
    expect(await response.decode(Buffer.concat(writer.finish()))).toMatchObject({
      topics: [{topicName: 't', partitions: [{partition: 1, errorCode: 10, baseOffset: String(2 ** 40)}]}],
    })
  })
})

describe('ApiVersions', () => {
  const apis = [{key: 1, min: 2, max: 3}]

  it.each([0, 1, 2])('is read by kafkajs in version %i', async (version) => {
    const writer = new WireWriter()
    cluster.apiVersions.response.write(writer, {error: 0, apis}, version)
    const {response} = kafkajsRequests['ApiVersions']!.protocol({version})({})
    const decoded = await response.decode(Buffer.concat(writer.finish()))
    expect(decoded).toMatchObject({apiVersions: [{apiKey: 1, minVersion: 2, maxVersion: 3}]})
  })

  it('has the flexible layout in version 3: compact lengths, tagged fields', () => {
    const writer = new WireWriter()
    cluster.apiVersions.response.write(writer, {error: 0, apis}, 3)
    const hex = Buffer.concat(writer.finish()).toString('hex')
    expect(hex).toBe('0000' + '02' + '000100020003' + '00' + '00000000' + '00')
    const request = Buffer.from('0361620363640101' + '0178', 'hex')
    expect(cluster.apiVersions.request.read(new WireReader(request), 3)).toEqual({
      clientName: 'ab',
      clientVersion: 'cd',
    })
  })
})

describe('Metadata', () => {
  it('takes an empty list for all topics in version 0 only', () => {
    const empty = Buffer.alloc(4)
    expect(cluster.metadata.request.read(new WireReader(empty), 0).topics).toBeNull()
    expect(cluster.metadata.request.read(new WireReader(empty), 1).topics).toEqual([])
  })
})

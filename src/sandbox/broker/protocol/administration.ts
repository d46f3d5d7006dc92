/** Looking at groups; making, changing and deleting groups, topics and their settings. */
import {
  api,
  array,
  boolean,
  bytes,
  fixed,
  int16,
  int32,
  int8,
  nothing,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  throttleMs,
  type RequestOf,
  type ResponseOf,
} from './schema.js'

const OPERATIONS_NOT_ASKED_FOR = -0x8000_0000

export const describeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 4],
  request: struct({groupIds: array(string), withOperations: since(3, fixed(boolean, false))}),
  response: struct({
    throttleMs: since(1, throttleMs),
    groups: array(
      struct({
        error: int16,
        groupId: string,
        state: string,
        protocolType: string,
        protocol: string,
        members: array(
          struct({
            memberId: string,
            instanceId: since(4, nullableString, null),
            clientId: string,
            clientHost: string,
            metadata: bytes,
            assignment: bytes,
          }),
        ),
        operations: since(3, fixed(int32, OPERATIONS_NOT_ASKED_FOR)),
      }),
    ),
  }),
})
export type GroupDescription = ResponseOf<typeof describeGroups>['groups'][number]

export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 2],
  request: nothing,
  response: struct({
    throttleMs: since(1, throttleMs),
    error: fixed(int16, 0),
    groups: array(struct({groupId: string, protocolType: string})),
  }),
})

export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 1],
  request: struct({groupIds: array(string)}),
  response: struct({throttleMs, groups: array(struct({groupId: string, error: int16}))}),
})

const topicStatus = struct({topic: string, error: int16, message: nullableString})
const config = array(struct({name: string, value: nullableString}))

export const createTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 3],
  request: struct({
    topics: array(
      struct({
        topic: string,
        /** -1: the broker's default, or as many as there are assignments. */
        partitionCount: int32,
        replicationFactor: int16,
        assignments: array(struct({partition: int32, nodes: array(int32)})),
        config,
      }),
    ),
    timeoutMs: fixed(int32, 30_000),
    validateOnly: boolean,
  }),
  response: struct({throttleMs, topics: array(topicStatus)}),
})
export type NewTopic = RequestOf<typeof createTopics>['topics'][number]

export const createPartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 1],
  request: struct({
    topics: array(
      struct({topic: string, partitionCount: int32, assignments: fixed(nullableArray(array(int32)), null)}),
    ),
    timeoutMs: fixed(int32, 30_000),
    validateOnly: boolean,
  }),
  response: struct({throttleMs, topics: array(topicStatus)}),
})

export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 3],
  request: struct({topics: array(string), timeoutMs: fixed(int32, 30_000)}),
  response: struct({throttleMs, topics: array(struct({topic: string, error: int16}))}),
})

export const TOPIC_RESOURCE = 2
export const BROKER_RESOURCE = 4

/** Where a setting's value comes from. */
export const CONFIG_SOURCE = {topic: 1, default: 5} as const

export const describeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 2],
  request: struct({
    /** All settings when the names are null. */
    resources: array(struct({type: int8, name: string, configNames: nullableArray(string)})),
    withSynonyms: fixed(boolean, false),
  }),
  response: struct({
    throttleMs,
    resources: array(
      struct({
        error: int16,
        message: nullableString,
        type: int8,
        name: string,
        entries: array(
          struct({
            name: string,
            value: nullableString,
            isReadOnly: boolean,
            source: int8,
            isSensitive: fixed(boolean, false),
            synonyms: fixed(array(struct({name: string, value: nullableString, source: int8})), []),
          }),
        ),
      }),
    ),
  }),
})
export type ConfigEntry = ResponseOf<typeof describeConfigs>['resources'][number]['entries'][number]

/** What is not named goes back to its default. */
export const alterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 1],
  request: struct({resources: array(struct({type: int8, name: string, config})), validateOnly: boolean}),
  response: struct({
    throttleMs,
    resources: array(struct({error: int16, message: nullableString, type: int8, name: string})),
  }),
})

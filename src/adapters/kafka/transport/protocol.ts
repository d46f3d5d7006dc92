/**
 * The requests this adapter makes: what goes in and what comes out, as kafkajs's codecs name the fields. Offsets
 * are decimal strings there. An answer's own `errorCode` is thrown as a ProtocolFailure; the codes of single
 * topics, partitions, groups and members stay in the answer, because one bad partition must not hide the others.
 */
import type {Buffer} from 'node:buffer'

export interface TopicPartitions<Partition> {
  readonly topic: string
  readonly partitions: readonly Partition[]
}

export interface PartitionCode {
  readonly partition: number
  readonly errorCode: number
}

interface Api<Args, Answer> {
  readonly args: Args
  readonly answer: Answer
}

export interface Apis {
  Produce: Api<{readonly acks: -1; readonly timeout: number; readonly topicData: readonly []}, ProduceAnswer>
  Fetch: Api<FetchArgs, never>
  ListOffsets: Api<
    {
      readonly isolationLevel: 0 | 1
      /** -2 earliest, -1 latest (the last stable offset under isolation level 1). */
      readonly topics: readonly TopicPartitions<{readonly partition: number; readonly timestamp: number}>[]
    },
    {readonly responses: readonly TopicPartitions<PartitionCode & {readonly offset: string}>[]}
  >
  Metadata: Api<
    {readonly topics: readonly string[]; readonly allowAutoTopicCreation: boolean},
    MetadataAnswer
  >
  OffsetCommit: Api<
    {
      readonly groupId: string
      readonly groupGenerationId: number
      readonly memberId: string
      readonly topics: readonly TopicPartitions<{
        readonly partition: number
        readonly offset: string
        readonly metadata: string | null
      }>[]
    },
    {readonly responses: readonly TopicPartitions<PartitionCode>[]}
  >
  OffsetFetch: Api<
    {readonly groupId: string; readonly topics: readonly TopicPartitions<{readonly partition: number}>[]},
    {
      readonly responses: readonly TopicPartitions<
        PartitionCode & {readonly offset: string; readonly metadata: string | null}
      >[]
    }
  >
  GroupCoordinator: Api<
    {readonly groupId: string; readonly coordinatorType: 0},
    {readonly coordinator: {readonly nodeId: number; readonly host: string; readonly port: number}}
  >
  JoinGroup: Api<
    {
      readonly groupId: string
      readonly sessionTimeout: number
      readonly rebalanceTimeout: number
      readonly memberId: string
      readonly groupInstanceId: string | null
      readonly protocolType: 'consumer'
      readonly groupProtocols: readonly {readonly name: string; readonly metadata: Buffer}[]
    },
    {
      readonly generationId: number
      readonly groupProtocol: string
      readonly leaderId: string
      readonly memberId: string
      /** Filled for the leader only. */
      readonly members: readonly {
        readonly memberId: string
        readonly groupInstanceId?: string | null
        readonly memberMetadata: Buffer | null
      }[]
    }
  >
  SyncGroup: Api<
    {
      readonly groupId: string
      readonly generationId: number
      readonly memberId: string
      readonly groupInstanceId: string | null
      readonly groupAssignment: readonly {readonly memberId: string; readonly memberAssignment: Buffer}[]
    },
    {readonly memberAssignment: Buffer | null}
  >
  Heartbeat: Api<
    {
      readonly groupId: string
      readonly groupGenerationId: number
      readonly memberId: string
      readonly groupInstanceId: string | null
    },
    object
  >
  LeaveGroup: Api<
    {readonly groupId: string; readonly memberId: string; readonly groupInstanceId: string | null},
    {readonly members?: readonly {readonly memberId: string; readonly errorCode: number}[]}
  >
  DescribeGroups: Api<{readonly groupIds: readonly string[]}, {readonly groups: readonly DescribedGroup[]}>
  CreateTopics: Api<
    {
      readonly topics: readonly {
        readonly topic: string
        readonly numPartitions: number
        readonly replicationFactor: number
        readonly configEntries: readonly {readonly name: string; readonly value: string}[]
      }[]
      readonly validateOnly: boolean
      readonly timeout: number
    },
    {
      readonly topicErrors: readonly {
        readonly topic: string
        readonly errorCode: number
        readonly errorMessage?: string | null
      }[]
    }
  >
  DescribeConfigs: Api<
    {
      readonly resources: readonly {
        readonly type: number
        readonly name: string
        readonly configNames: readonly string[]
      }[]
      readonly includeSynonyms: false
    },
    {
      readonly resources: readonly {
        readonly errorCode: number
        readonly resourceName: string
        readonly configEntries: readonly {readonly configName: string; readonly configValue: string | null}[]
      }[]
    }
  >
}

export type ApiName = keyof Apis
export type ApiArgs<Name extends ApiName> = Apis[Name]['args']
export type ApiAnswer<Name extends ApiName> = Apis[Name]['answer']

/** Fetch answers hold record batches, so whoever asks brings the decoder. Versions 4 to 11. */
export interface FetchArgs {
  readonly maxWaitTime: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly isolationLevel: 0 | 1
  readonly topics: readonly TopicPartitions<{
    readonly partition: number
    readonly fetchOffset: string
    readonly maxBytes: number
  }>[]
}

export interface ProduceAnswer {
  readonly topics: readonly {
    readonly topicName: string
    readonly partitions: readonly (PartitionCode & {readonly baseOffset: string})[]
  }[]
}

export interface MetadataAnswer {
  readonly brokers: readonly {
    readonly nodeId: number
    readonly host: string
    readonly port: number
    readonly rack: string | null
  }[]
  readonly clusterId: string | null
  readonly controllerId: number
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number
    readonly topic: string
    readonly partitionMetadata: readonly {
      readonly partitionErrorCode: number
      readonly partitionId: number
      readonly leader: number
    }[]
  }[]
}

export interface DescribedGroup {
  readonly errorCode: number
  readonly groupId: string
  readonly state: string
  readonly protocolType: string
  readonly protocol: string
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly clientHost: string
  }[]
}

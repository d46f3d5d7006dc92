import {NO_THROTTLE_MS, type Api} from './api.js'

/**
 * ```
 * request   [topic]? allow_auto_topic_creation (4+)
 * response  throttle_ms (3+) [broker] cluster_id (2+) controller_id (1+) [topic]
 *   broker     node_id host port rack? (1+)
 *   topic      error name is_internal (1+) [partition]
 *   partition  error index leader [replica] [in_sync_replica] [offline_replica] (5+)
 * ```
 * All topics are asked for with null, in version 0 with an empty list.
 */
export const metadata: Api<MetadataRequest, MetadataResponse> = {
  key: 3,
  name: 'Metadata',
  versions: [0, 6],
  decode(reader, version) {
    const named = reader.nullableArray(() => reader.string())
    const topics = version === 0 && named?.length === 0 ? null : named
    return {topics, mayCreate: version < 4 || reader.boolean()}
  },
  encode(writer, {node, clusterId, topics}, version) {
    if (version >= 3) writer.int32(NO_THROTTLE_MS)
    writer.array([node], ({nodeId, host, port}) => {
      writer.int32(nodeId).string(host).int32(port)
      if (version >= 1) writer.string(null)
    })
    if (version >= 2) writer.string(clusterId)
    if (version >= 1) writer.int32(node.nodeId)
    const writeNodes = (nodes: readonly number[]) => writer.array(nodes, (node) => writer.int32(node))
    writer.array(topics, ({error, topic, partitionCount}) => {
      writer.int16(error).string(topic)
      if (version >= 1) writer.boolean(false)
      writer.array(
        Array.from({length: partitionCount}, (_, index) => index),
        (index) => {
          writer.int16(0).int32(index).int32(node.nodeId)
          writeNodes([node.nodeId])
          writeNodes([node.nodeId])
          if (version >= 5) writeNodes([])
        },
      )
    })
  },
}

export interface MetadataRequest {
  /** All of them when null. */
  readonly topics: readonly string[] | null
  readonly mayCreate: boolean
}

export interface MetadataResponse {
  readonly node: NodeAddress
  readonly clusterId: string
  readonly topics: readonly {
    readonly error: number
    readonly topic: string
    readonly partitionCount: number
  }[]
}

export interface NodeAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** What the broker speaks, and where things are. */
import {
  api,
  array,
  boolean,
  fixed,
  int16,
  int32,
  int8,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  throttleMs,
  type Field,
  type ValueOf,
} from './schema.js'

const compactString: Field<string> = {
  read: (reader) => reader.compactString(),
  write: (writer, value) => writer.compactString(value),
}
const taggedFields: Field<null> = {
  read(reader) {
    reader.skipTaggedFields()
    return null
  },
  write: (writer) => writer.noTaggedFields(),
}
const noTaggedFields = since(3, fixed(taggedFields, null))

const servedApi = struct({key: int16, min: int16, max: int16, noTaggedFields})
const servedApis: Field<readonly ValueOf<typeof servedApi>[]> = {
  read(reader, version) {
    const readOne = () => servedApi.read(reader, version)
    return version < 3 ? reader.array(readOne) : reader.compactArray(readOne)
  },
  write(writer, apis, version) {
    const writeOne = (each: ValueOf<typeof servedApi>) => servedApi.write(writer, each, version)
    if (version < 3) writer.array(apis, writeOne)
    else writer.compactArray(apis, writeOne)
  },
}

/**
 * Version 3 is the only flexible one (KIP-482) that is served here. The answer to a version that is not served
 * has the layout of version 0, which every client can read (KIP-511).
 */
export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 3],
  request: struct({
    clientName: since(3, compactString, ''),
    clientVersion: since(3, compactString, ''),
    noTaggedFields,
  }),
  response: struct({error: int16, apis: servedApis, throttleMs: since(1, throttleMs), noTaggedFields}),
})

/** All topics are asked for with null, in version 0 with an empty list. */
const topicNames: Field<readonly string[] | null> = {
  read(reader, version) {
    const named = nullableArray(string).read(reader, version)
    return version === 0 && named?.length === 0 ? null : named
  },
  write: (writer, names, version) => nullableArray(string).write(writer, names, version),
}

export const metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 6],
  request: struct({topics: topicNames, mayCreate: since(4, boolean, true)}),
  response: struct({
    throttleMs: since(3, throttleMs),
    nodes: array(
      struct({nodeId: int32, host: string, port: int32, rack: since(1, fixed(nullableString, null))}),
    ),
    clusterId: since(2, string, ''),
    controllerId: since(1, int32, -1),
    topics: array(
      struct({
        error: int16,
        topic: string,
        isInternal: since(1, fixed(boolean, false)),
        partitions: array(
          struct({
            error: fixed(int16, 0),
            partition: int32,
            leader: int32,
            replicas: array(int32),
            inSyncReplicas: array(int32),
            offlineReplicas: since(5, fixed(array(int32), [])),
          }),
        ),
      }),
    ),
  }),
})

export interface NodeAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** What the coordinator is wanted for. */
export const GROUP_KEY = 0

export const findCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 2],
  request: struct({key: string, keyType: since(1, int8, GROUP_KEY)}),
  response: struct({
    throttleMs: since(1, throttleMs),
    error: int16,
    message: since(1, nullableString, null),
    nodeId: int32,
    host: string,
    port: int32,
  }),
})

import {NO_THROTTLE_MS, type Api} from './api.js'

export const TOPIC_RESOURCE = 2
export const BROKER_RESOURCE = 4

export interface ConfigResource {
  readonly type: number
  readonly name: string
}

/** What every answer says of each resource: `error error_message? resource_type resource_name` */
export interface ConfigStatus extends ConfigResource {
  readonly error: number
  readonly message: string | null
}

/**
 * ```
 * request   [resource_type resource_name [config_name]?] include_synonyms
 * response  throttle_ms [error error_message? resource_type resource_name [entry]]
 *   entry   name value? read_only source is_sensitive [synonym]
 * ```
 */
export const describeConfigs: Api<readonly DescribeConfigsQuery[], readonly DescribedConfig[]> = {
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 2],
  decode: (reader) =>
    reader.array(() => ({
      type: reader.int8(),
      name: reader.string(),
      keys: reader.nullableArray(() => reader.string()),
    })),
  encode(writer, resources) {
    writer.int32(NO_THROTTLE_MS).array(resources, ({error, message, type, name, entries}) => {
      writer.int16(error).string(message).int8(type).string(name)
      writer.array(entries, (entry) => {
        writer.string(entry.name).string(entry.value).boolean(entry.readOnly).int8(SOURCE[entry.source])
        writer.boolean(false).array([], () => undefined)
      })
    })
  },
}

const SOURCE = {topic: 1, broker: 4, default: 5} as const

export interface DescribeConfigsQuery extends ConfigResource {
  /** All of them when null. */
  readonly keys: readonly string[] | null
}

export interface ConfigEntry {
  readonly name: string
  readonly value: string
  readonly readOnly: boolean
  /** Where the value was set. */
  readonly source: keyof typeof SOURCE
}

export interface DescribedConfig extends ConfigStatus {
  readonly entries: readonly ConfigEntry[]
}

/**
 * ```
 * request   [resource_type resource_name [config_name config_value?]] validate_only
 * response  throttle_ms [error error_message? resource_type resource_name]
 * ```
 * What is not named goes back to its default.
 */
export const alterConfigs: Api<AlterConfigsRequest, readonly ConfigStatus[]> = {
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 1],
  decode(reader) {
    const resources = reader.array(() => ({
      type: reader.int8(),
      name: reader.string(),
      config: new Map(reader.array(() => [reader.string(), reader.nullableString()] as const)),
    }))
    return {resources, validateOnly: reader.boolean()}
  },
  encode(writer, resources) {
    writer.int32(NO_THROTTLE_MS).array(resources, ({error, message, type, name}) => {
      writer.int16(error).string(message).int8(type).string(name)
    })
  },
}

export interface AlterConfigsRequest {
  readonly resources: readonly (ConfigResource & {readonly config: ReadonlyMap<string, string | null>})[]
  readonly validateOnly: boolean
}

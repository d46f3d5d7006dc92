import {NO_THROTTLE_MS, type Api} from './api.js'

/**
 * ```
 * request   -                                              (0-2)
 *           client_software_name client_software_version   (3, flexible)
 * response  error [api_key min_version max_version] throttle_ms (1+)
 * ```
 * The answer to a version that is not served has the layout of version 0, which every client can read (KIP-511).
 */
export const apiVersions: Api<null, ApiVersionsResponse> = {
  key: 18,
  name: 'ApiVersions',
  versions: [0, 3],
  decode(reader, version) {
    if (version < 3) return null
    reader.compactString()
    reader.compactString()
    reader.skipTaggedFields()
    return null
  },
  encode(writer, {error, apis}, version) {
    writer.int16(error)
    const writeRange = ({key, versions, advertised = versions}: ServedApi) =>
      writer.int16(key).int16(advertised[0]).int16(advertised[1])
    if (version < 3) writer.array(apis, writeRange)
    else writer.compactArray(apis, (api) => writeRange(api).noTaggedFields())
    if (version >= 1) writer.int32(NO_THROTTLE_MS)
    if (version >= 3) writer.noTaggedFields()
  },
}

export type ServedApi = Pick<Api<never, never>, 'key' | 'versions' | 'advertised'>

export interface ApiVersionsResponse {
  readonly error: number
  readonly apis: readonly ServedApi[]
}

import {apiVersions} from './cluster.js'
import type {WireReader} from './wire-reader.js'

/**
 * ```
 * request   size(int32) api_key(int16) api_version(int16) correlation_id(int32) client_id? body
 * response  size(int32) correlation_id(int32) body
 * ```
 * Flexible versions add tagged fields to the request's header. Of those served here only ApiVersions 3 is one,
 * and its answers keep the old header, because the client cannot know yet what the broker speaks.
 */
export interface RequestHeader {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
  readonly clientId: string
}

export function readRequestHeader(reader: WireReader): RequestHeader {
  const apiKey = reader.int16()
  const version = reader.int16()
  const correlationId = reader.int32()
  const clientId = reader.nullableString() ?? ''
  if (apiKey === apiVersions.key && version === apiVersions.versions[1]) reader.skipTaggedFields()
  return {apiKey, version, correlationId, clientId}
}

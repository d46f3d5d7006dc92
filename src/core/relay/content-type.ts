/**
 * The header `contentType`, as Spring Cloud Stream writes it. Its readers take a `contentType` for text only where the
 * header `spring_json_header_types` says so; a plain one makes them fail. So the two are written together, and last.
 */
import type {RecordHeader} from '../record.js'

const CONTENT_TYPE = 'contentType'
const TYPES = 'spring_json_header_types'
const STRING = 'java.lang.String'

export function withContentType(headers: readonly RecordHeader[], contentType: string): RecordHeader[] {
  const types = {...typesOf(headers), [CONTENT_TYPE]: STRING}
  return [
    ...headers.filter(({key}) => key !== CONTENT_TYPE && key !== TYPES),
    {key: CONTENT_TYPE, value: Buffer.from(contentType)},
    {key: TYPES, value: Buffer.from(JSON.stringify(types))},
  ]
}

/** What is no JSON object names no header. */
function typesOf(headers: readonly RecordHeader[]): Record<string, unknown> {
  const written = headers.findLast(({key}) => key === TYPES)?.value
  if (!written) return {}
  try {
    const types: unknown = JSON.parse(written.toString('utf8'))
    return typeof types === 'object' && types !== null && !Array.isArray(types) ? {...types} : {}
  } catch {
    return {}
  }
}

/**
 * A request on the wire, header version 1 (https://kafka.apache.org/protocol#protocol_messages):
 *
 *   int32 size | int16 api key | int16 api version | int32 correlation id | nullable string client id | body
 */
import {Buffer} from 'node:buffer'

const SIZE_BYTES = 4
const FIXED_HEADER_BYTES = 14

export interface EncodedRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  /** Written as they are, in one writev. */
  readonly body: readonly Buffer[]
}

/** As a list of buffers; the body's are passed on as they are. */
export function frameOf(request: EncodedRequest, correlationId: number, clientId: string): readonly Buffer[] {
  const clientIdBytes = Buffer.byteLength(clientId)
  const header = Buffer.allocUnsafe(FIXED_HEADER_BYTES + clientIdBytes)
  const bodyBytes = request.body.reduce((sum, buffer) => sum + buffer.length, 0)
  header.writeInt32BE(header.length - SIZE_BYTES + bodyBytes, 0)
  header.writeInt16BE(request.apiKey, 4)
  header.writeInt16BE(request.apiVersion, 6)
  header.writeInt32BE(correlationId, 8)
  header.writeInt16BE(clientIdBytes, 12)
  header.write(clientId, FIXED_HEADER_BYTES)
  return [header, ...request.body]
}

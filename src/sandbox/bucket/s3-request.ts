/** A request whose signature is right. */
import type {IncomingHttpHeaders} from 'node:http'
import type {RequestBody} from './body/request-body.js'
import type {Target} from './target.js'

export interface S3Request extends Target {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: RequestBody
}

export function headerOf(request: {readonly headers: IncomingHttpHeaders}, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}

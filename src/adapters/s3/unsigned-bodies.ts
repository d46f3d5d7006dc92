/**
 * Through TLS a body is sent with its checksum alone, instead of being hashed once more for the signature: nobody on the
 * way can change it, and SHA-256 is as much work as all of the file's own hashes where a processor has no instructions
 * for it. In plain text bodies are signed; AWS's own tools do the same.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
import type {S3Client} from './sdk.js'

const HASH_HEADER = 'x-amz-content-sha256'
const UNSIGNED = 'UNSIGNED-PAYLOAD'
/** By which the store checks a body all the same. */
const PROOF_HEADER = /^(x-amz-checksum-|content-md5$)/i

/** Of a request, what matters here. */
interface Outgoing {
  readonly protocol: string
  readonly body?: unknown
  readonly headers: Record<string, string>
}

export function leaveBodiesUnsigned({middlewareStack}: S3Client): void {
  middlewareStack.add(
    (next) => (args) => {
      const {protocol, body, headers} = args.request as Outgoing
      const isProven = Object.keys(headers).some((name) => PROOF_HEADER.test(name))
      if (protocol === 'https:' && Buffer.isBuffer(body) && isProven) headers[HASH_HEADER] = UNSIGNED
      return next(args)
    },
    // The last step before the signature.
    {step: 'build', priority: 'low', name: 'leaveBodiesUnsigned'},
  )
}

/** From the wire to a data file, verified on the way. */
import {BodyDigests} from '../body/body-digests.js'
import type {ChecksumName, Checksums} from '../checksums/algorithms.js'
import {S3Error} from '../errors.js'
import type {S3Request} from '../s3-request.js'
import type {DataFiles} from '../storage/data-files.js'
import type {Segment} from '../storage/records.js'

export const MAX_PIECE_BYTES = 5 * 1024 ** 3
/** Much more than 1,000 keys or 10,000 parts need. */
const MAX_XML_BYTES = 8 * 1024 * 1024

export interface ReceivedPiece {
  readonly segment: Segment
  readonly md5: Buffer
  readonly checksums: Checksums
}

/**
 * @param wanted which checksums are to be computed beside the one that the client sends
 * @throws S3Error EntityTooLarge, BadDigest and what else can be wrong with a body; no file stays behind
 */
export async function receivePiece(
  request: S3Request,
  files: DataFiles,
  wanted: (claimed: ChecksumName | null) => readonly ChecksumName[],
): Promise<ReceivedPiece> {
  const bytes = request.body.requiredLength()
  if (bytes > MAX_PIECE_BYTES)
    throw new S3Error('EntityTooLarge', undefined, {ProposedSize: bytes, MaxSizeAllowed: MAX_PIECE_BYTES})
  const digests = new BodyDigests(request, wanted)
  let verified: ReturnType<BodyDigests['verified']> | undefined
  async function* watched() {
    for await (const data of request.body.bytes()) {
      digests.update(data)
      yield data
    }
    verified = digests.verified()
  }
  const segment = await files.write(watched())
  if (verified === undefined) throw new Error('a body ended without being verified')
  return {segment, md5: verified.md5, checksums: verified.checksums}
}

/** @throws S3Error MaxMessageLengthExceeded, BadDigest and what else can be wrong with a body */
export async function receiveXml(request: S3Request): Promise<Buffer> {
  const digests = new BodyDigests(request, () => [])
  const body = await request.body.whole(MAX_XML_BYTES)
  digests.update(body)
  digests.verified()
  return body
}

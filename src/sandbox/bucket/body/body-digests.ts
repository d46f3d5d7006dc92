/** The digests that a client sends along with a body, and whether the body has them. */
import {createHash} from 'node:crypto'
import {
  CHECKSUM_NAMES,
  checksumHeader,
  type ChecksumName,
  type Checksums,
  parseChecksum,
  startChecksum,
  type RunningDigest,
} from '../checksums/algorithms.js'
import {S3Error} from '../errors.js'
import {headerOf, type S3Request} from '../s3-request.js'

/** Takes in the body, computes what is wanted and what was claimed, and compares at its end. */
export class BodyDigests {
  readonly #request: S3Request
  readonly #claimed: ChecksumName | null
  readonly #claimedMd5: Buffer | null
  readonly #md5 = createHash('md5')
  readonly #running: ReadonlyMap<ChecksumName, RunningDigest>
  #size = 0

  /** @throws S3Error InvalidRequest, InvalidDigest when what is claimed cannot be the digest of anything */
  constructor(request: S3Request, wanted: (claimed: ChecksumName | null) => readonly ChecksumName[]) {
    this.#request = request
    this.#claimed = claimedChecksum(request)
    this.#claimedMd5 = claimedMd5(request)
    const names = new Set(wanted(this.#claimed))
    if (this.#claimed !== null) names.add(this.#claimed)
    this.#running = new Map([...names].map((name) => [name, startChecksum(name)]))
  }

  update(data: Buffer): void {
    this.#size += data.length
    this.#md5.update(data)
    for (const digest of this.#running.values()) digest.update(data)
  }

  /** @throws S3Error BadDigest, MalformedTrailerError */
  verified(): {readonly size: number; readonly md5: Buffer; readonly checksums: Checksums} {
    const md5 = this.#md5.digest()
    if (this.#claimedMd5?.equals(md5) === false)
      throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.', {
        ExpectedDigest: this.#claimedMd5.toString('base64'),
        CalculatedDigest: md5.toString('base64'),
      })
    const checksums: Checksums = {}
    for (const [name, digest] of this.#running) checksums[name] = digest.digest().toString('base64')
    if (this.#claimed !== null && this.#claimedValue(this.#claimed) !== checksums[this.#claimed])
      throw new S3Error(
        'BadDigest',
        `The ${this.#claimed} you specified did not match the calculated checksum.`,
      )
    return {size: this.#size, md5, checksums}
  }

  #claimedValue(name: ChecksumName): string {
    const header = checksumHeader(name)
    const inHeader = headerOf(this.#request, header)
    if (inHeader !== undefined) return inHeader
    const value = this.#request.body.trailers.get(header)
    if (value === undefined) throw new S3Error('MalformedTrailerError')
    if (parseChecksum(name, value) === null) throw invalidValue(header)
    return value
  }
}

/** One, in a header or announced as a trailer; null when there is none. */
function claimedChecksum(request: S3Request): ChecksumName | null {
  const announced = (headerOf(request, 'x-amz-trailer') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  if (announced.length > 0 && !request.body.hasTrailers)
    throw new S3Error(
      'InvalidRequest',
      'x-amz-trailer is given, and x-amz-content-sha256 announces no trailer.',
    )
  const isClaimed = (name: ChecksumName) =>
    request.headers[checksumHeader(name)] !== undefined || announced.includes(checksumHeader(name))
  const [claimed, ...others] = CHECKSUM_NAMES.filter(isClaimed)
  if (others.length > 0)
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  const named = headerOf(request, 'x-amz-sdk-checksum-algorithm')
  if (named !== undefined && named.toUpperCase() !== claimed)
    throw new S3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    )
  if (claimed === undefined) return null
  const value = headerOf(request, checksumHeader(claimed))
  if (value !== undefined && parseChecksum(claimed, value) === null)
    throw invalidValue(checksumHeader(claimed))
  return claimed
}

function claimedMd5(request: S3Request): Buffer | null {
  const text = headerOf(request, 'content-md5')
  if (text === undefined) return null
  const md5 = Buffer.from(text, 'base64')
  if (md5.length !== 16 || md5.toString('base64') !== text) throw new S3Error('InvalidDigest')
  return md5
}

const invalidValue = (header: string) =>
  new S3Error('InvalidRequest', `Value for ${header} header is invalid.`)

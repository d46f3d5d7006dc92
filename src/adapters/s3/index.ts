/**
 * Files into a bucket of any store that speaks S3.
 *
 *     chunks in file order -> part being filled (memory, then disk) -> full -> UploadPart × n, side by side
 *     size and SHA-512 verified -> CRC-32 as the uploader's? -> Complete, or PutObject of a small file
 *                                                     with the checksum of the whole file, and a condition
 *
 * Guarantees
 * - An object appears whole and verified, or not at all: its checksum, computed as the chunks are read, must be the one
 *   that the uploader recorded, and the store itself refuses other bytes (where it cannot, the object is read back).
 * - A newer generation of a path is never replaced by an older one: what an object holds is in its metadata, and the
 *   store's own conditional writes decide between two writers.
 * - A crash at any moment leaves no object that is not whole, and no upload that nobody knows of: each is in a journal
 *   before it is begun, gone on with when its file comes again, and ended otherwise.
 * - Memory is bounded by --memory: parts that wait for more of their file go to disk; only sending makes anybody wait.
 * - A store that is away is waited for; one that refuses us ends the run, with the offsets open.
 *
 * Files: object-writer.ts is one file; part-buffer.ts, multipart-upload.ts and publish.ts what it goes through;
 * bucket-client.ts and upload-calls.ts the requests, store-calls.ts how they are repeated; generation-metadata.ts what
 * an object says of itself; upload-journal.ts and orphans.ts what crashes leave; capabilities.ts and customer-key-trial.ts
 * what the store can do; lone-failures.ts what is the matter with one object, and not with the store.
 *
 * Tests: test/unit/adapters/s3, the contract of destinations, and the fault matrix in test/support/s3.
 */
import type {BucketClient} from './bucket-client.js'
import {type Capabilities, everything, findCapabilities} from './capabilities.js'
import type {ChecksumName} from './checksum.js'
import {tryCustomerKey} from './customer-key-trial.js'

export {type BucketClient} from './bucket-client.js'
export {type BucketDestinationOptions, createBucketDestination, tidyUp} from './bucket-destination.js'
export {type Capabilities, shortcomings} from './capabilities.js'
export {clockWarning} from './clock-skew.js'
export {type BucketPlace, type ConnectedBucket, connectBucket} from './connect.js'
export type {ChecksumName} from './checksum.js'
export {destinationId, parseKeyTemplate} from './key-template.js'
export type {ObjectSettings} from './object-settings.js'
export {endOrphans} from './orphans.js'
export type {IfExists} from './publish.js'
export {UploadJournal} from './upload-journal.js'

/**
 * Looks whether the bucket is there, whether it may be written, and what its store can do: AWS itself is known, any
 * other is tried out.
 * @throws BUCKET_UNKNOWN, STORE_FORBIDDEN, STORE_CREDENTIALS, STORE_UNREACHABLE
 */
export async function examineBucket(
  client: BucketClient,
  {endpoint, prefix, tryOut, checksum, signal}: Examination,
): Promise<Capabilities> {
  if (endpoint !== null || tryOut) {
    await tryCustomerKey(client, prefix, {signal})
    return findCapabilities(client, prefix, {wanted: checksum, signal})
  }
  const known = everything(checksum)
  client.checksums = {name: known.checksum, perRequest: known.perRequest, wholeObject: known.wholeObject}
  await client.headBucket({signal})
  await tryCustomerKey(client, prefix, {signal})
  return known
}

interface Examination {
  /** Null is AWS. */
  readonly endpoint: string | null
  /** What keys begin with; what is tried out is tried there. */
  readonly prefix: string
  /** AWS too. */
  readonly tryOut: boolean
  /** Null: the store is given none, and every object is read back. */
  readonly checksum: ChecksumName | null
  readonly signal: AbortSignal
}

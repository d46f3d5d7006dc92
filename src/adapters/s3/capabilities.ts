/**
 * What a store can do, found out by doing it to an object of our own:
 *
 *     put if absent, twice     the second is refused, or the store ignores If-None-Match
 *     put if it matches        a wrong ETag is refused, or it ignores If-Match
 *     put with a wrong CRC-32  is refused, or it does not check; with MD5 then
 *     a multipart upload with a wrong CRC-32 of the whole   likewise
 *     ListParts                with checksums: interrupted uploads can be gone on with
 *
 * What is used instead is said once, in plain words.
 */
import {hostname} from 'node:os'
import {createHash} from 'node:crypto'
import type {BucketClient, CallOptions} from './bucket-client.js'
import {crcText, crcTextOf} from './checksum.js'
import type {Conditions} from './publish.js'
import {isRefusal, ObjectRefused} from './store-errors.js'
import {StreamtoolError} from '../../core/errors.js'
import {crc32} from 'node:zlib'

export interface Capabilities {
  readonly conditions: Conditions
  /** A CRC-32 that comes with each body is checked. */
  readonly perRequest: boolean
  /** That of the whole object is checked at Complete. */
  readonly wholeObject: boolean
  /** Interrupted uploads can be gone on with. */
  readonly listsChecksums: boolean
  /** The store proves too little of what it was sent, so each object is read back. */
  readonly readsBack: boolean
  /** What was tried is gone again: the right to delete is there. */
  readonly cleansUp: boolean
}

/** Of the store of AWS itself, which needs no trying. */
export const EVERYTHING: Capabilities = {
  conditions: {ifAbsent: true, ifMatch: true},
  perRequest: true,
  wholeObject: true,
  listsChecksums: true,
  readsBack: false,
  cleansUp: true,
}

/** Asked not to use them. */
export const NO_CHECKSUMS = {perRequest: false, wholeObject: false, listsChecksums: false, readsBack: true}

const CONTENT = Buffer.from('streamtool tries out what this store can do; this object can be removed.\n')
const NO_ETAG = {etag: '"00000000000000000000000000000000"'}

/** One key per host: where nothing may be deleted, one object stays, not one for each start. */
function probeKey(prefix: string): string {
  return `${prefix}.streamtool-probe-${createHash('sha256').update(hostname()).digest('hex').slice(0, 12)}`
}

/** @throws BUCKET_UNKNOWN, STORE_FORBIDDEN, STORE_CREDENTIALS, STORE_UNREACHABLE */
export async function findCapabilities(
  client: BucketClient,
  prefix: string,
  {usesChecksums, ...options}: CallOptions & {readonly usesChecksums: boolean},
): Promise<Capabilities> {
  const key = probeKey(prefix)
  const perRequest = usesChecksums && (await checksPut(client, key, options))
  if (!usesChecksums) await putSomehow(client, key, options)
  client.checksums = {perRequest, wholeObject: perRequest}
  const conditions = {
    ifAbsent: await refuses(() => client.put(key, CONTENT, 'absent', {}, options), 'taken', 'conflict'),
    ifMatch: await refuses(
      () => client.put(key, CONTENT, NO_ETAG, {}, options),
      'taken',
      'conflict',
      'absent',
    ),
  }
  const {wholeObject, listsChecksums} = perRequest
    ? await checksUpload(client, key, options)
    : {wholeObject: false, listsChecksums: false}
  client.checksums = {perRequest, wholeObject}
  const cleansUp = await client.remove(key, options).then(
    () => true,
    (thrown: unknown) => {
      if (thrown instanceof StreamtoolError && thrown.code === 'STORE_FORBIDDEN') return false
      throw thrown
    },
  )
  return {
    conditions,
    perRequest,
    wholeObject,
    listsChecksums,
    readsBack: !perRequest || !wholeObject,
    cleansUp,
  }
}

/** Puts the object, first with a checksum that is not its own. */
async function checksPut(client: BucketClient, key: string, options: CallOptions): Promise<boolean> {
  client.checksums = {perRequest: true, wholeObject: true}
  const isChecked = await refuses(
    () =>
      client.put(key, CONTENT, null, {}, {...options, attempts: 1, claimedCrc: (crc32(CONTENT) ^ 1) >>> 0}),
    'corrupted',
  )
  client.checksums = {perRequest: isChecked, wholeObject: isChecked}
  await putSomehow(client, key, options)
  return isChecked
}

/** Where policies ask for it the condition has to be there; where stores know none it must not. */
async function putSomehow(client: BucketClient, key: string, options: CallOptions): Promise<void> {
  try {
    await client.put(key, CONTENT, 'absent', {}, options)
  } catch (thrown) {
    if (isRefusal(thrown, 'taken', 'conflict')) return
    if (!(thrown instanceof ObjectRefused)) throw thrown
    await client.put(key, CONTENT, null, {}, options)
  }
}

async function checksUpload(
  client: BucketClient,
  key: string,
  options: CallOptions,
): Promise<Pick<Capabilities, 'wholeObject' | 'listsChecksums'>> {
  let uploadId: string
  try {
    uploadId = await client.createUpload(key, {}, options)
  } catch (thrown) {
    if (isRefusal(thrown, 'unsupported', 'other')) return {wholeObject: false, listsChecksums: false}
    throw thrown
  }
  const upload = {key, uploadId}
  try {
    const part = await client.putPart(upload, 1, CONTENT, crc32(CONTENT), options)
    const listed = await client.listParts(upload, options)
    const wrong = {crc32: crcText(crc32(CONTENT) ^ 1), sizeBytes: CONTENT.length}
    const wholeObject = await refuses(
      () => client.completeUpload(upload, [part], wrong, null, {...options, attempts: 1}),
      'corrupted',
      'other',
    )
    return {wholeObject, listsChecksums: listed[0]?.crc32 === crcTextOf(CONTENT)}
  } finally {
    await client.abortUpload(upload, options)
  }
}

/** Whether it is refused like that; refused otherwise counts as not, and so does success. */
async function refuses(
  work: () => Promise<unknown>,
  ...refusals: Parameters<typeof isRefusal>[1][]
): Promise<boolean> {
  try {
    await work()
    return false
  } catch (thrown) {
    if (isRefusal(thrown, ...refusals)) return true
    if (isRefusal(thrown, 'unsupported', 'other', 'corrupted', 'taken', 'conflict', 'absent')) return false
    throw thrown
  }
}

/** What the store cannot do, and what is done instead; nothing when it can do everything. */
export function shortcomings({
  conditions,
  perRequest,
  wholeObject,
  listsChecksums,
  readsBack,
}: Capabilities): string[] {
  return [
    ...(conditions.ifAbsent && conditions.ifMatch
      ? []
      : [
          'The store does not keep to conditional writes: each key is looked at before it is written. Two processes that write the same file at the same moment are not kept apart.',
        ]),
    ...(perRequest ? [] : ['The store does not check a CRC-32: it is given an MD5 with each request.']),
    ...(wholeObject || !perRequest
      ? []
      : ['The store does not check the CRC-32 of an object that was sent in parts, only that of each part.']),
    ...(readsBack ? ['So each object is read back and compared once it is written.'] : []),
    ...(listsChecksums ? [] : ['Uploads that were interrupted by a crash begin anew.']),
  ]
}

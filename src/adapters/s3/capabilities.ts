/**
 * What a store can do, found out by doing it to an object of our own:
 *
 *     put if absent, twice     the second is refused, or the store ignores If-None-Match
 *     put if it matches        a wrong ETag is refused, or it ignores If-Match
 *     put with a wrong checksum   is refused, or it does not check: with CRC-32 then, if another was asked for, else MD5
 *     a multipart upload with a wrong checksum of the whole   likewise
 *     ListParts                with checksums: interrupted uploads can be gone on with
 *
 * What is used instead is said once, in plain words.
 */
import {hostname} from 'node:os'
import {createHash} from 'node:crypto'
import type {BucketClient} from './bucket-client.js'
import {CHECKSUM_TITLES, type ChecksumName, checksumOf, wrongChecksum} from './checksum.js'
import type {Conditions} from './publish.js'
import type {Body} from './requests.js'
import type {CallOptions} from './store-calls.js'
import {isRefusal, ObjectRefused} from './store-errors.js'
import {StreamtoolError} from '../../core/errors.js'
import {livenessOf, type ProcessIdentity, thisProcess} from '../system/process-identity.js'

export interface Capabilities {
  readonly conditions: Conditions
  /** The one that was asked for; null asks for none. */
  readonly wanted: ChecksumName | null
  /** The one that is used. */
  readonly checksum: ChecksumName
  /** It is checked when it comes with a body. */
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
export function everything(wanted: ChecksumName | null): Capabilities {
  const isChecked = wanted !== null
  return {
    conditions: {ifAbsent: true, ifMatch: true},
    wanted,
    checksum: wanted ?? FALLBACK,
    ...{perRequest: isChecked, wholeObject: isChecked, listsChecksums: isChecked, readsBack: !isChecked},
    cleansUp: true,
  }
}

/** Stores that check any know this one. */
const FALLBACK: ChecksumName = 'CRC32'
const CONTENT = Buffer.from('streamtool tries out what this store can do; this object can be removed.\n')
const NO_ETAG = {etag: '"00000000000000000000000000000000"'}

/** One key per host: where nothing may be deleted, one object stays, not one for each start. */
export function probeKey(prefix: string): string {
  return `${prefix}.streamtool-probe-${shortHash(hostname())}`
}

/** Says whose it is, so that whoever comes next knows whether it is still needed. */
export function probeUploadKey(objectKey: string, {pid, startTime, pidSpace}: ProcessIdentity): string {
  return `${objectKey}-${shortHash(pidSpace)}-${pid}-${startTime ?? ''}`
}

/** @throws BUCKET_UNKNOWN, STORE_FORBIDDEN, STORE_CREDENTIALS, STORE_UNREACHABLE */
export async function findCapabilities(
  client: BucketClient,
  prefix: string,
  {wanted, ...options}: CallOptions & {readonly wanted: ChecksumName | null},
): Promise<Capabilities> {
  const key = probeKey(prefix)
  const {name, perRequest} = await findChecksum(client, key, wanted, options)
  const body = probeBody(name)
  client.checksums = {name, perRequest, wholeObject: perRequest}
  await putSomehow(client, key, body, options)
  const conditions = {
    ifAbsent: await refuses(() => client.put(key, body, 'absent', {}, options), 'taken', 'conflict'),
    ifMatch: await refuses(() => client.put(key, body, NO_ETAG, {}, options), 'taken', 'conflict', 'absent'),
  }
  const {wholeObject, listsChecksums} = perRequest
    ? await checksUpload(client, key, body, options)
    : {wholeObject: false, listsChecksums: false}
  client.checksums = {name, perRequest, wholeObject}
  const cleansUp = await client.remove(key, options).then(
    () => true,
    (thrown: unknown) => {
      if (thrown instanceof StreamtoolError && thrown.code === 'STORE_FORBIDDEN') return false
      throw thrown
    },
  )
  return {
    conditions,
    ...{wanted, checksum: name, perRequest, wholeObject, listsChecksums, cleansUp},
    readsBack: !perRequest || !wholeObject,
  }
}

export const probeBody = (name: ChecksumName): Body => ({
  content: CONTENT,
  checksum: checksumOf(name, CONTENT),
})

/** The first that the store refuses when it is wrong. */
async function findChecksum(
  client: BucketClient,
  key: string,
  wanted: ChecksumName | null,
  options: CallOptions,
): Promise<{name: ChecksumName; perRequest: boolean}> {
  for (const name of wanted === null ? [] : new Set([wanted, FALLBACK])) {
    client.checksums = {name, perRequest: true, wholeObject: true}
    const wrong = {content: CONTENT, checksum: wrongChecksum(checksumOf(name, CONTENT))}
    // Twice, since the first request of all is the one that is refused when the clocks differ.
    const isChecked = () => client.put(key, wrong, null, {}, {...options, attempts: 2})
    if (await refuses(isChecked, 'corrupted')) return {name, perRequest: true}
  }
  return {name: FALLBACK, perRequest: false}
}

/** Where policies ask for it the condition has to be there; where stores know none it must not. */
async function putSomehow(
  client: BucketClient,
  key: string,
  body: Body,
  options: CallOptions,
): Promise<void> {
  try {
    await client.put(key, body, 'absent', {}, options)
  } catch (thrown) {
    if (isRefusal(thrown, 'taken', 'conflict')) return
    if (!(thrown instanceof ObjectRefused)) throw thrown
    await client.put(key, body, null, {}, options)
  }
}

/** Writes the object that stores are tried out with. @throws what the store answers */
export async function writeProbe(client: BucketClient, prefix: string, options: CallOptions): Promise<void> {
  const key = probeKey(prefix)
  await putSomehow(client, key, probeBody(client.checksums.name), options)
  await client.remove(key, options).catch((thrown: unknown) => {
    if (!(thrown instanceof StreamtoolError) || thrown.code !== 'STORE_FORBIDDEN') throw thrown
  })
}

async function checksUpload(
  {uploads}: BucketClient,
  objectKey: string,
  body: Body,
  options: CallOptions,
): Promise<Pick<Capabilities, 'wholeObject' | 'listsChecksums'>> {
  await endThoseOfTheDead(uploads, `${objectKey}-`, options)
  const key = probeUploadKey(objectKey, thisProcess())
  let uploadId: string
  try {
    uploadId = await uploads.create(key, {}, options)
  } catch (thrown) {
    if (isRefusal(thrown, 'unsupported', 'other')) return {wholeObject: false, listsChecksums: false}
    throw thrown
  }
  const upload = {key, uploadId}
  try {
    const part = await uploads.putPart(upload, 1, body, options)
    const listed = await uploads.listParts(upload, options)
    const wrong = {checksum: wrongChecksum(body.checksum), sizeBytes: CONTENT.length}
    const wholeObject = await refuses(
      () => uploads.complete(upload, [part], wrong, null, {...options, attempts: 1}),
      'corrupted',
      'other',
    )
    return {wholeObject, listsChecksums: listed[0]?.checksum === body.checksum}
  } finally {
    await uploads.abort(upload, options)
  }
}

/** Processes that died while they tried the store out. Tidying up is no reason not to start. */
async function endThoseOfTheDead(
  uploads: BucketClient['uploads'],
  keyStart: string,
  options: CallOptions,
): Promise<void> {
  try {
    for (const upload of await uploads.list(keyStart, options))
      if (isOfTheDead(upload.key.slice(keyStart.length))) await uploads.abort(upload, options)
  } catch (thrown) {
    if (!(thrown instanceof StreamtoolError)) throw thrown
  }
}

/** Of another container nobody here can tell; a lifecycle rule ends those. */
function isOfTheDead(name: string): boolean {
  const [, space, pid, startTime] = /^([0-9a-f]{12})-(\d{1,10})-(\d{0,20})$/.exec(name) ?? []
  const {pidSpace} = thisProcess()
  if (pid === undefined || space !== shortHash(pidSpace)) return false
  return livenessOf({pid: Number(pid), startTime: startTime || null, pidSpace}) === 'dead'
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

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
  wanted,
  checksum,
  perRequest,
  wholeObject,
  listsChecksums,
  readsBack,
}: Capabilities): string[] {
  const [asked, used] = [CHECKSUM_TITLES[wanted ?? checksum], CHECKSUM_TITLES[checksum]]
  return [
    ...(conditions.ifAbsent && conditions.ifMatch
      ? []
      : [
          'The store does not keep to conditional writes: each key is looked at before it is written. Two processes that write the same file at the same moment are not kept apart.',
        ]),
    ...(perRequest && asked !== used
      ? [`The store does not check a ${asked}: ${used} is used instead.`]
      : []),
    ...(perRequest ? [] : [`${noChecksum(wanted, asked)}: it is given an MD5 with each request.`]),
    ...(wholeObject || !perRequest
      ? []
      : [
          `The store does not check the ${used} of an object that was sent in parts, only that of each part.`,
        ]),
    ...(readsBack ? ['So each object is read back and compared once it is written.'] : []),
    ...(listsChecksums ? [] : ['Uploads that were interrupted by a crash begin anew.']),
  ]
}

const noChecksum = (wanted: ChecksumName | null, title: string): string =>
  wanted === null ? 'The store is given no checksum, as asked' : `The store does not check a ${title}`

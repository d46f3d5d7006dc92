/**
 * What can go wrong with a call to a store × the call × the size of the file × whether the store keeps to conditions.
 * A case delivers one file through one fault; where that fails it does what the program does then: it reads the file
 * again, or starts anew. In the end the object is there, whole and equal, and nothing else is.
 */
import {randomBytes} from 'node:crypto'
import {join} from 'node:path'
import {StreamtoolError} from '../../../src/core/errors.js'
import type {FinishOutcome, IncomingFile} from '../../../src/core/ports/index.js'
import type {Call, Fault} from '../../../src/sandbox/bucket/index.js'
import {incomingFile} from '../incoming-file.js'
import {
  type DestinationOptions,
  openBucketOn,
  type OpenedBucket,
  PART_BYTES,
  type StoreUnderTest,
} from './bucket-under-test.js'
import {hastyClock} from './hasty-clock.js'

const P = PART_BYTES
const CHUNK_BYTES = 1 << 20

export const FAULTS = {
  'too many requests (429)': {kind: 'error', status: 429, code: 'TooManyRequests'},
  'internal error (500)': {kind: 'error', status: 500, code: 'InternalError'},
  'slow down (503)': {kind: 'error', status: 503, code: 'SlowDown'},
  'access denied (403)': {kind: 'error', status: 403, code: 'AccessDenied'},
  'no such bucket (404)': {kind: 'error', status: 404, code: 'NoSuchBucket'},
  'expired token (400)': {kind: 'error', status: 400, code: 'ExpiredToken'},
  'connection reset': {kind: 'reset'},
  silence: {kind: 'silence'},
  'answer cut short': {kind: 'truncated'},
  'error in a 200': {kind: 'error-in-200', code: 'InternalError'},
  'slow body': {kind: 'slow', bytesPerSecond: 20 << 20},
  'a bit flipped on the way': {kind: 'corrupted'},
} as const satisfies Record<string, Fault>
export type FaultName = keyof typeof FAULTS

/** A call, and how often it is made before the one that goes wrong. */
export const TARGETS = {
  PutObject: {operation: 'PutObject', nth: 1, sizes: [0, 1, P - 1, P]},
  CreateMultipartUpload: {operation: 'CreateMultipartUpload', nth: 1, sizes: [P + 1, 3 * P + 7]},
  'first UploadPart': {operation: 'UploadPart', nth: 1, sizes: [P + 1, 3 * P + 7]},
  'middle UploadPart': {operation: 'UploadPart', nth: 2, sizes: [3 * P + 7]},
  'last UploadPart': {operation: 'UploadPart', nth: 4, sizes: [3 * P + 7]},
  CompleteMultipartUpload: {operation: 'CompleteMultipartUpload', nth: 1, sizes: [P + 1, 3 * P + 7]},
  AbortMultipartUpload: {operation: 'AbortMultipartUpload', nth: 1, sizes: [P + 1]},
  HeadObject: {operation: 'HeadObject', nth: 1, sizes: [1, P + 1]},
} as const satisfies Record<string, {operation: Call['operation']; nth: number; sizes: readonly number[]}>
export type TargetName = keyof typeof TARGETS

export interface FaultCase {
  readonly fault: FaultName
  readonly phase: Call['phase']
  readonly target: TargetName
  readonly sizeBytes: number
  readonly conditional: boolean
}

/** The kinds of fault that make no sense of a call, or not there. */
function isPossible({fault, phase, target}: FaultCase): boolean {
  const isBody = target === 'PutObject' || target.endsWith('UploadPart')
  if (fault === 'a bit flipped on the way') return isBody && phase === 'before'
  if (fault === 'slow body') return isBody === (phase === 'before')
  if (fault === 'answer cut short') return phase === 'after'
  return true
}

export function everyCase(): FaultCase[] {
  const cases: FaultCase[] = []
  for (const fault of Object.keys(FAULTS) as FaultName[])
    for (const target of Object.keys(TARGETS) as TargetName[])
      for (const phase of ['before', 'after'] as const)
        for (const sizeBytes of TARGETS[target].sizes)
          for (const conditional of [true, false]) cases.push({fault, phase, target, sizeBytes, conditional})
  return cases.filter(isPossible)
}

/** Every fault, every call, and each with half of the others; the other axes take turns. */
export function fewCases(cases: readonly FaultCase[]): FaultCase[] {
  const [faults, targets] = [Object.keys(FAULTS), Object.keys(TARGETS)]
  const byPair = new Map<string, FaultCase[]>()
  for (const each of cases) {
    if ((faults.indexOf(each.fault) + targets.indexOf(each.target)) % 2 === 1) continue
    const pair = `${each.fault} ${each.target}`
    byPair.set(pair, [...(byPair.get(pair) ?? []), each])
  }
  return [...byPair.values()].flatMap((alike, at) => alike[(at * 5) % alike.length] ?? [])
}

/** So many cases that any two values of two axes meet in one, where they can meet at all. */
export function pairwiseCases(cases: readonly FaultCase[]): FaultCase[] {
  const missing = new Set(cases.flatMap(pairsOf))
  const chosen: FaultCase[] = []
  while (missing.size > 0) {
    const news = (each: FaultCase) => pairsOf(each).filter((pair) => missing.has(pair)).length
    const best = cases.reduce((a, b) => (news(b) > news(a) ? b : a))
    for (const pair of pairsOf(best)) missing.delete(pair)
    chosen.push(best)
  }
  return chosen
}

function pairsOf(each: FaultCase): string[] {
  const values = Object.entries(each).map(([axis, value]) => `${axis}: ${value}`)
  return values.flatMap((a, at) => values.slice(at + 1).map((b) => `${a}, ${b}`))
}

export const titleOf = ({fault, phase, target, sizeBytes, conditional}: FaultCase): string =>
  `${fault} ${phase} ${target}, ${sizeBytes} bytes${conditional ? '' : ', a store without conditions'}`

let files = 0

/** @returns how often the fault befell a call. @throws when the bucket is not as it should be in the end */
export async function suffer(store: StoreUnderTest, each: FaultCase): Promise<number> {
  const {operation, nth} = TARGETS[each.target]
  const path = `case-${(files += 1)}/file.raw`
  const content = randomBytes(each.sizeBytes)
  const generation = (offset: number, bytes: Buffer): IncomingFile =>
    incomingFile(path, bytes, {
      offset,
      timestampMs: offset,
      uploadId: `upload-${offset}`,
      chunkCount: Math.max(1, Math.ceil(bytes.length / CHUNK_BYTES)),
    })
  const options: DestinationOptions = {
    isKnown: true,
    clock: hastyClock(10),
    stateDir: join(store.stateDir, path),
    ...(each.fault === 'silence' ? {silenceMs: 1000} : {}),
    capabilities: each.conditional ? {} : {conditions: {ifAbsent: false, ifMatch: false}},
  }
  // Something is there to be looked at.
  const older = randomBytes(each.sizeBytes)
  if (each.target === 'HeadObject') await deliverOnce(store, options, generation(1, older), older)

  let calls = 0
  let befell = 0
  store.faults.set(path, (call) => {
    if (call.operation !== operation) return undefined
    if (call.phase === 'before') calls += 1
    if (call.phase !== each.phase || calls < nth || befell >= 2) return undefined
    befell += 1
    return FAULTS[each.fault]
  })
  // Given up on the way, as when its partition goes to somebody else; then somebody begins it anew.
  const isAboutAborting = each.target === 'AbortMultipartUpload'
  if (isAboutAborting) await deliverInTheEnd(store, options, generation(2, content), content, true)
  await deliverInTheEnd(store, options, generation(2, content), content, false)
  store.faults.delete(path)

  const found = await store.object(path)
  if (found?.equals(content) !== true)
    throw new Error(`${path} is ${found === null ? 'not there' : 'not equal'}`)
  const pending = await store.pendingUploads(path)
  if (pending.length > 0) throw new Error(`uploads of ${pending.join(', ')} are left`)
  return befell
}

async function deliverInTheEnd(
  store: StoreUnderTest,
  options: DestinationOptions,
  file: IncomingFile,
  content: Buffer,
  givesUp: boolean,
): Promise<FinishOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    let opened: OpenedBucket | null = null
    try {
      opened = await openBucketOn(store, options)
      return await writeWhole(opened, file, content, givesUp)
    } catch (thrown) {
      // Held, read again, or the end of the run: whichever, somebody tries it again.
      const isOurs = thrown instanceof StreamtoolError && thrown.code !== 'BUG'
      if (!isOurs || attempt === 4) throw thrown
    } finally {
      await opened?.destination.close()
    }
  }
}

async function deliverOnce(
  store: StoreUnderTest,
  options: DestinationOptions,
  file: IncomingFile,
  content: Buffer,
): Promise<void> {
  const opened = await openBucketOn(store, options)
  await writeWhole(opened, file, content, false)
  await opened.destination.close()
}

/** @param givesUp it is discarded after its first parts, as when its partition goes to somebody else */
export async function writeWhole(
  {destination}: Pick<OpenedBucket, 'destination'>,
  file: IncomingFile,
  content: Buffer,
  givesUp = false,
): Promise<FinishOutcome> {
  const writer = await destination.open(file, new AbortController().signal)
  try {
    for (let at = 0; at < content.length; at += CHUNK_BYTES)
      await writer.write(content.subarray(at, at + CHUNK_BYTES))
    if (givesUp) throw new StreamtoolError('INTERRUPTED', 'given up')
    return await writer.finish(content.length)
  } catch (thrown) {
    await writer.discard()
    if (givesUp) return 'superseded'
    throw thrown
  }
}

import type {S3Client} from '@aws-sdk/client-s3'
import {CompleteMultipartUploadCommand, PutObjectCommand, UploadPartCommand} from '@aws-sdk/client-s3'
import fc from 'fast-check'
import {beforeEach, describe, expect, it} from 'vitest'
import {BucketClient} from '../../src/adapters/s3/bucket-client.js'
import {everything} from '../../src/adapters/s3/capabilities.js'
import {createBucketDestination, parseKeyTemplate, UploadJournal} from '../../src/adapters/s3/index.js'
import {
  LARGEST_PART_BYTES,
  MOST_PARTS,
  mostBytesOf,
  partBytesFor,
  SMALLEST_PART_BYTES,
} from '../../src/adapters/s3/part-plan.js'
import {createMemorySpillStore} from '../../src/adapters/memory/memory-spill-store.js'
import {systemClock} from '../../src/adapters/system/clock.js'
import {AdaptiveLimit} from '../../src/core/flow/index.js'
import {incomingFile} from '../support/incoming-file.js'
import {noSteps, recordedLog} from '../support/quiet.js'
import {temporaryDirectory} from '../support/temporary-directory.js'

const [KIB, MIB, TIB] = [2 ** 10, 2 ** 20, 2 ** 40]
const LARGEST_OBJECT_BYTES = MOST_PARTS * LARGEST_PART_BYTES

/** Near every boundary there is, and anywhere between. */
const sizes = fc.oneof(
  fc.bigInt(0n, 5n * BigInt(TIB)).map(Number),
  fc
    .tuple(
      fc.constantFrom(0, 5 * MIB, 8 * MIB, 1e4 * 5 * MIB, 1e4 * 8 * MIB, 1e4 * 9 * MIB, 5 * TIB),
      fc.integer({min: -2, max: 2}),
    )
    .map(([size, more]) => Math.max(0, size + more)),
)
const wanted = fc.integer({min: SMALLEST_PART_BYTES, max: LARGEST_PART_BYTES})

/** As a store sees them: each as long as the first, but the last. */
function cut(sizeBytes: number, partBytes: number): {count: number; last: number} {
  const count = Math.max(1, Math.ceil(sizeBytes / partBytes))
  return {count, last: sizeBytes - (count - 1) * partBytes}
}

describe('the parts of a file of any size', () => {
  it('are 10,000 at most, none is smaller or larger than a store takes but the last, and they are all of it', () => {
    fc.assert(
      fc.property(sizes, wanted, (sizeBytes, wantedBytes) => {
        const partBytes = partBytesFor(sizeBytes, wantedBytes)
        const {count, last} = cut(sizeBytes, partBytes)
        expect(partBytes).toBeGreaterThanOrEqual(wantedBytes)
        expect(partBytes).toBeLessThanOrEqual(LARGEST_PART_BYTES)
        expect(count).toBeLessThanOrEqual(MOST_PARTS)
        expect(last).toBeLessThanOrEqual(partBytes)
        expect(last).toBeGreaterThanOrEqual(sizeBytes === 0 ? 0 : 1)
        expect((count - 1) * partBytes + last).toBe(sizeBytes)
        // No larger than they must be.
        expect(partBytes === wantedBytes || (partBytes - MIB) * MOST_PARTS < sizeBytes).toBe(true)
      }),
    )
  })

  it('suffice whatever the header said of the size, and are refused when no object could be so large', () => {
    const claimed = fc.option(fc.nat(2 ** 40), {nil: null})
    fc.assert(
      fc.property(sizes, claimed, fc.integer({min: 1, max: 64 * MIB}), (sizeBytes, said, chunkBytes) => {
        const chunkCount = Math.max(1, Math.ceil(sizeBytes / chunkBytes))
        const most = mostBytesOf({sizeBytes: said, chunkCount}, Math.min(chunkBytes, sizeBytes))
        expect(most).toBeGreaterThanOrEqual(sizeBytes)
        expect(cut(sizeBytes, partBytesFor(most, SMALLEST_PART_BYTES)).count).toBeLessThanOrEqual(MOST_PARTS)
      }),
    )
    expect(partBytesFor(LARGEST_OBJECT_BYTES, SMALLEST_PART_BYTES)).toBe(LARGEST_PART_BYTES)
    expect(() => partBytesFor(LARGEST_OBJECT_BYTES + 1, SMALLEST_PART_BYTES)).toThrow(
      expect.objectContaining({code: 'OBJECT_REFUSED'}),
    )
  })
})

describe('what is sent of a file', () => {
  let journal: UploadJournal
  beforeEach(async () => {
    journal = await UploadJournal.open(await temporaryDirectory())
    return () => journal.close()
  })

  it('is cut at part boundaries, whatever the chunks, and put together it is the file', async () => {
    const chunks = fc.integer({min: 1, max: 700}).map((kib) => kib * KIB + (kib % 3))
    const files = fc.oneof(
      fc.integer({min: 0, max: 4 * MIB}),
      fc.constantFrom(0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB),
    )
    const memories = fc.constantFrom(0, MIB, 64 * MIB)
    await fc.assert(
      fc.asyncProperty(files, chunks, memories, async (sizeBytes, chunkBytes, memoryBytes) => {
        const store = new SentBodies()
        const content = Buffer.alloc(sizeBytes)
        for (let at = 0; at + 4 <= sizeBytes; at += 4) content.writeInt32BE(at, at)
        await deliver(store, journal, {content, chunkBytes, memoryBytes})
        expect(Buffer.concat(store.bodies()).equals(content)).toBe(true)
        const sizesSent = store.bodies().map((body) => body.length)
        expect(sizesSent).toEqual(
          sizeBytes <= MIB
            ? [sizeBytes]
            : Array.from({length: Math.ceil(sizeBytes / MIB)}, (_, i) => Math.min(MIB, sizeBytes - i * MIB)),
        )
      }),
      {numRuns: 25},
    )
  })
})

/** In the place of the SDK: keeps the bodies of parts, and answers with what is needed to go on. */
class SentBodies {
  private whole: Buffer | null = null
  private readonly parts = new Map<number, Buffer>()
  private completed: number[] = []

  readonly s3 = {
    send: (command: object) => Promise.resolve(this.take(command)),
    destroy: () => undefined,
  } as unknown as S3Client

  bodies(): Buffer[] {
    if (this.whole !== null) return [this.whole]
    return this.completed.map((number) => this.parts.get(number) ?? Buffer.alloc(0))
  }

  private take(command: object): object {
    if (command instanceof PutObjectCommand) this.whole = Buffer.from(command.input.Body as Buffer)
    else if (command instanceof UploadPartCommand)
      this.parts.set(command.input.PartNumber ?? 0, Buffer.from(command.input.Body as Buffer))
    else if (command instanceof CompleteMultipartUploadCommand)
      this.completed = (command.input.MultipartUpload?.Parts ?? []).map(({PartNumber}) => PartNumber ?? 0)
    else if (command.constructor.name === 'HeadObjectCommand')
      throw Object.assign(new Error('not there'), {name: 'NotFound', $metadata: {httpStatusCode: 404}})
    return {ETag: '"etag"', UploadId: 'upload'}
  }
}

async function deliver(
  {s3}: SentBodies,
  journal: UploadJournal,
  {content, chunkBytes, memoryBytes}: {content: Buffer; chunkBytes: number; memoryBytes: number},
): Promise<void> {
  const client = new BucketClient({
    s3,
    bucket: 'files',
    common: {},
    customerKey: {},
    credentials: null,
    limit: new AdaptiveLimit(8),
    clock: systemClock,
  })
  const destination = createBucketDestination({
    client,
    capabilities: everything('CRC32'),
    prefix: '',
    key: parseKeyTemplate('{path}', ''),
    ifExists: 'overwrite',
    object: {tags: {}, metadata: {}, sha256: false},
    // Less than a store would take: the plan itself makes a MiB of it.
    partBytes: 1,
    memoryBytes,
    journal,
    spill: createMemorySpillStore(),
    clock: systemClock,
    logger: recordedLog(),
    steps: noSteps,
    signal: new AbortController().signal,
    deadline: new AbortController().signal,
  })
  const chunkCount = Math.max(1, Math.ceil(content.length / chunkBytes))
  const file = incomingFile('file', content, {chunkCount})
  const writer = await destination.open(file, new AbortController().signal)
  for (let at = 0; at < content.length; at += chunkBytes)
    await writer.write(content.subarray(at, at + chunkBytes))
  expect(await writer.finish(content.length)).toBe('delivered')
}

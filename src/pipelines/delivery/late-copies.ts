/**
 * Copies of chunks that come when nobody remembers their file: a producer sent a chunk twice, the file was delivered,
 * and the copy is read after a restart. It looks like a new file of which the other chunks are missing, and would be
 * open for ever.
 *
 * Asked about such a file, first the destination: does it have this very generation, or a newer one? Then the topic:
 * an upload is over when all its chunks are at offsets that are done. They are looked for from the time at which the
 * upload began, which its id tells, to the copy; so far back only, and no more than so many bytes.
 *
 * When only some of them are there, it was superseded or parked before it was complete. How old it is shows only now,
 * so the destination is asked once more.
 */
import {decodeChunk, HEADER, uploadStartMs} from '../../core/chunk/index.js'
import {IntervalSet} from '../../core/offsets/index.js'
import type {
  ConsumedRecord,
  Destination,
  GenerationOrder,
  TopicAdmin,
  TopicReader,
} from '../../core/ports/index.js'
import {type ClosingOutcome, generationKey, type OpenFile, orderOf} from '../../core/reassembly/index.js'

/** Record times and upload ids are of one clock, unless the broker stamps the records. */
const CLOCK_SLACK_MS = 60_000
/** What is read for one partition, beyond the files themselves. */
const LOOK_BACK_BYTES = 1024 ** 3
/** Sizes are what headers claim. */
const LARGEST_BYTES = 64 * 1024 ** 3

export interface LateCopiesOptions {
  readonly topic: string
  readonly destination: Destination
  readonly reader: TopicReader
  readonly admin: TopicAdmin
  readonly isDone: (partition: number, offset: number) => boolean
}

interface Wanted {
  readonly open: OpenFile
  readonly partition: number
  readonly startMs: number
  /** Of its first record that is here. */
  readonly before: number
  /** Chunks found where they are done. */
  readonly found: IntervalSet
  /** Of the first of them. */
  order: GenerationOrder | null
}

export class LateCopies {
  constructor(private readonly options: LateCopiesOptions) {}

  /** @returns those of the files that are over, and how they ended */
  async find(files: readonly OpenFile[], signal: AbortSignal): Promise<Map<OpenFile, ClosingOutcome>> {
    const over = new Map<OpenFile, ClosingOutcome>()
    const unknown: OpenFile[] = []
    for (const open of files) {
      const recalled = await this.options.destination.recall(open.file)
      if (recalled === 'nothing') unknown.push(open)
      else over.set(open, recalled === 'same' ? 'stray' : 'superseded')
    }
    for (const wanted of groupByPartition(unknown.flatMap(searchable)))
      for (const each of await this.lookBack(wanted, signal)) {
        const outcome = await this.outcomeOf(each)
        if (outcome !== null) over.set(each.open, outcome)
      }
    return over
  }

  private async outcomeOf({open, found, order}: Wanted): Promise<ClosingOutcome | null> {
    if (found.size === open.file.chunkCount) return 'stray'
    if (order === null) return null
    const recalled = await this.options.destination.recall({...open.file, order})
    return recalled === 'newer' ? 'superseded' : null
  }

  /** @returns them, with what was found */
  private async lookBack(wanted: readonly Wanted[], signal: AbortSignal): Promise<readonly Wanted[]> {
    const {topic, admin, reader, isDone} = this.options
    const [first] = wanted
    if (first === undefined) return []
    const {partition} = first
    const startMs = Math.min(...wanted.map((each) => each.startMs)) - CLOCK_SLACK_MS
    const start = (await admin.offsetAt(topic, Math.max(0, startMs))).get(partition)
    const end = Math.max(...wanted.map(({before}) => before))
    if (start === undefined || start >= end) return []

    const uploads = new Set(wanted.map(({open}) => open.file.uploadId))
    const byKey = new Map(wanted.map((each) => [each.open.key, each]))
    const enough = new AbortController()
    const sizeBytes = wanted.reduce((sum, {open}) => sum + (open.file.sizeBytes ?? 0), 0)
    let bytesLeft = LOOK_BACK_BYTES + Math.min(2 * sizeBytes, LARGEST_BYTES)
    const look = (records: readonly ConsumedRecord[]): Promise<void> => {
      for (const record of records) {
        bytesLeft -= record.value?.length ?? 0
        if (uploads.has(uploadIdOf(record)) && isDone(partition, record.offset)) note(byKey, record)
      }
      if (bytesLeft < 0) enough.abort()
      return Promise.resolve()
    }
    try {
      await reader.read({topic, partition, start, end}, look, AbortSignal.any([signal, enough.signal]))
    } catch (thrown) {
      if (!enough.signal.aborted) throw thrown
    }
    return wanted
  }
}

/** Anybody can copy an upload id, so it only says what is worth decoding. */
function note(byKey: ReadonlyMap<string, Wanted>, record: ConsumedRecord): void {
  const decoded = decodeChunk(record)
  const wanted = 'poison' in decoded ? undefined : byKey.get(generationKey(decoded))
  if (wanted === undefined || 'poison' in decoded) return
  wanted.found.add(decoded.chunk.index)
  wanted.order ??= orderOf(record, decoded)
}

/** Only of an upload that tells when it began and that is in one partition. */
function searchable(open: OpenFile): Wanted[] {
  const {uploadId} = open.file
  const startMs = uploadId === null ? null : uploadStartMs(uploadId)
  const [partition] = open.offsets.keys()
  if (startMs === null || partition === undefined || !open.partitionedByFile) return []
  const [firstRun] = open.offsets.get(partition)?.runs() ?? []
  if (!firstRun) return []
  return [{open, partition, startMs, before: firstRun.start, found: new IntervalSet(), order: null}]
}

function groupByPartition(wanted: readonly Wanted[]): Wanted[][] {
  const groups = new Map<number, Wanted[]>()
  for (const each of wanted) {
    const group = groups.get(each.partition)
    if (group) group.push(each)
    else groups.set(each.partition, [each])
  }
  return [...groups.values()]
}

/** Without decoding the record. */
function uploadIdOf({headers}: ConsumedRecord): string | null {
  return headers.find(({key}) => key === HEADER.upload)?.value?.toString('utf8') ?? null
}

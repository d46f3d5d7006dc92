import {formatRuns, IntervalSet, type Run} from '../offsets/index.js'
import type {ConsumedRecord, OutgoingRecord, RecordHeader} from '../record.js'
import {LETTER_HEADER, LETTER_VERSION, type LetterCause, type ParkedFile} from './letter.js'

/** So many runs of offsets are a record of a few hundred KB at most. */
const MAX_RUNS_PER_LETTER = 10_000
/** Of missing chunks a letter names so many runs: it is for people, retrying does not need it. */
const MAX_MISSING_RUNS = 1000

/** The record as it is, with headers that say where it was and why it was refused. */
export function recordLetter(record: ConsumedRecord, cause: LetterCause): OutgoingRecord {
  return {
    key: record.key,
    value: record.value === null ? null : [record.value],
    headers: [...record.headers, ...letterHeaders('record', cause), ...originHeaders(record)],
  }
}

/** For a record that is too large to be sent once more. */
export function referenceLetter(record: ConsumedRecord, cause: LetterCause): OutgoingRecord {
  return {
    key: null,
    value: null,
    headers: [...letterHeaders('reference', cause), ...originHeaders(record)],
  }
}

export function fileLetters({cause, records, kind, ...facts}: ParkedFile): OutgoingRecord[] {
  return shares(records).map((share) => ({
    key: Buffer.from(facts.path),
    value: [
      Buffer.from(
        JSON.stringify({
          schema: 1,
          ...facts,
          records: Object.fromEntries([...share].map(([p, offsets]) => [String(p), formatRuns(offsets)])),
        }),
      ),
    ],
    headers: letterHeaders(kind, cause),
  }))
}

/** What is missing, for {@link ParkedFile.missingChunks}. */
export function missingText(chunks: IntervalSet): string {
  return formatRuns(chunks, MAX_MISSING_RUNS)
}

/** The records in portions that fit into a letter each. */
function shares(records: ReadonlyMap<number, IntervalSet>): Map<number, IntervalSet>[] {
  const runs = [...records].flatMap(([partition, offsets]) =>
    [...offsets.runs()].map((run) => ({partition, ...run})),
  )
  const portions: Map<number, IntervalSet>[] = []
  for (let i = 0; i < runs.length; i += MAX_RUNS_PER_LETTER)
    portions.push(byPartition(runs.slice(i, i + MAX_RUNS_PER_LETTER)))
  return portions
}

function byPartition(runs: readonly (Run & {readonly partition: number})[]): Map<number, IntervalSet> {
  const portion = new Map<number, IntervalSet>()
  for (const {partition, start, end} of runs) {
    const offsets = portion.get(partition) ?? new IntervalSet()
    offsets.addRun(start, end)
    portion.set(partition, offsets)
  }
  return portion
}

function letterHeaders(kind: string, {code, reason, group}: LetterCause): RecordHeader[] {
  return [
    header(LETTER_HEADER.version, LETTER_VERSION),
    header(LETTER_HEADER.kind, kind),
    header(LETTER_HEADER.code, code),
    header(LETTER_HEADER.reason, reason),
    header(LETTER_HEADER.group, group),
  ]
}

function originHeaders({topic, partition, offset}: ConsumedRecord): RecordHeader[] {
  return [
    header(LETTER_HEADER.topic, topic),
    header(LETTER_HEADER.partition, String(partition)),
    header(LETTER_HEADER.offset, String(offset)),
  ]
}

const header = (key: string, text: string): RecordHeader => ({key, value: Buffer.from(text)})

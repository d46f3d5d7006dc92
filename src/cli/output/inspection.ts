/** An inspected topic as a person reads it: its files as a table, then what is to be said of all of them together. */
import type {
  GroupPartition,
  GroupStanding,
  InspectedFile,
  InspectReport,
  Producer,
} from '../../core/inspect-report.js'
import {formatRuns, IntervalSet} from '../../core/offsets/index.js'
import {counted, humanBytes, humanCount, humanSeconds, printable} from './quantities.js'
import type {Summary} from './summary.js'
import {factLines, tableLines, type Column} from './table.js'

export function summarizeInspection({interrupted, topic, records, bytes, seconds}: InspectReport): Summary {
  const read = `Read ${counted(records, 'record')} (${humanBytes(bytes)}) of ${topic} in ${humanSeconds(seconds)}`
  return {headline: interrupted ? `Interrupted. ${read}` : read, details: []}
}

export function inspectionLines(report: InspectReport): string[] {
  const facts = factLines(overview(report))
  if (report.inventory.length === 0) return facts
  return [...fileTable(report), '', ...facts]
}

const TITLES: readonly Column[] = [
  {title: 'STATE'},
  {title: 'SIZE', align: 'right'},
  {title: 'CHUNKS', align: 'right'},
  {title: 'PARTITION'},
  {title: 'LAST RECORD (UTC)'},
  {title: 'PATH'},
]

function fileTable({inventory, inventoryOmitted, group}: InspectReport): string[] {
  const columns = group === null ? TITLES : [{title: 'GROUP'}, ...TITLES]
  const rows = inventory.map((file) => (group === null ? cells(file) : [file.group ?? '', ...cells(file)]))
  const lines = tableLines(columns, rows)
  if (inventoryOmitted === 0) return lines
  return [...lines, `… and ${humanCount(inventoryOmitted)} more; --events tells of all of them`]
}

function cells(file: InspectedFile): string[] {
  const {chunks, chunksFound, sizeBytes, bytes, partitions, lastRecord} = file
  return [
    file.state,
    humanBytes(sizeBytes ?? bytes),
    chunks === chunksFound ? humanCount(chunks) : `${humanCount(chunksFound)} of ${humanCount(chunks)}`,
    shortList(partitions),
    shortTime(lastRecord),
    printable(`${file.path}${remarks(file)}`),
  ]
}

function remarks({state, missingChunks, reason, verification, duplicates}: InspectedFile): string {
  const said = [
    ...(missingChunks === undefined ? [] : [`missing ${shortened(missingChunks)}`]),
    ...(state === 'corrupt' && reason !== undefined ? [reason] : []),
    ...(state === 'complete' && verification === 'unverified' ? ['not verified'] : []),
    ...(duplicates > 0 ? [`${counted(duplicates, 'chunk')} repeated`] : []),
  ]
  return said.length === 0 ? '' : `  (${said.join('; ')})`
}

function overview(report: InspectReport): (readonly [string, string])[] {
  const {topic, partitions, records, bytes, firstRecord, lastRecord, group} = report
  const size = `${counted(partitions.length, 'partition')}, ${counted(records, 'record')}, ${humanBytes(bytes)}`
  return [
    ['Topic', `${printable(topic)}: ${size}`],
    ...(firstRecord === null
      ? []
      : [['Records', `${shortTime(firstRecord)} to ${shortTime(lastRecord)} UTC`] as const]),
    ['Files', fileCounts(report)],
    ...(report.inventory.length === 0 ? [] : [['Chunks', chunkFacts(report)] as const]),
    ...(report.inventory.length === 0 ? [] : [['Sent by', producerFacts(report)] as const]),
    ...(report.poison === 0 ? [] : poisonFacts(report)),
    ...(group === null ? [] : groupFacts(group)),
  ]
}

function fileCounts({files}: InspectReport): string {
  const {complete, unverified, incomplete, corrupt, superseded} = files
  const notVerified =
    unverified === 0
      ? ''
      : ` (${humanCount(unverified)} not verified as a whole: their chunks are in another order, --verify reads them again)`
  return [
    `${humanCount(complete)} complete${notVerified}`,
    ...(incomplete > 0 ? [`${humanCount(incomplete)} incomplete`] : []),
    ...(corrupt > 0 ? [`${humanCount(corrupt)} corrupt`] : []),
    ...(superseded > 0 ? [`${humanCount(superseded)} superseded by newer ones`] : []),
  ].join(', ')
}

function chunkFacts({chunks, duplicates, files, inventory}: InspectReport): string {
  const ofSeveral = inventory.filter(({chunksFound}) => chunksFound > 1).length
  const place =
    files.spread === 0
      ? 'those of a file in one partition'
      : `those of ${humanCount(files.spread)} of ${counted(ofSeveral, 'file')} with several spread over partitions`
  const repeated = duplicates === 0 ? '' : `, ${humanCount(duplicates)} of them repeated`
  return `${humanCount(chunks)}${repeated}; ${place}`
}

const PRODUCERS: Readonly<Record<Producer, string>> = {
  streamtool: 'streamtool',
  openmsistream: 'OpenMSIStream',
  'openmsistream-9': 'OpenMSIStream from before April 2026',
}

function producerFacts({producers}: InspectReport): string {
  return (Object.keys(PRODUCERS) as Producer[])
    .filter((producer) => producers[producer] > 0)
    .map((producer) => `${PRODUCERS[producer]} (${counted(producers[producer], 'file')})`)
    .join(', ')
}

function poisonFacts({poison, poisonCodes}: InspectReport): (readonly [string, string])[] {
  const lines = poisonCodes.map(({code, records, example: {partition, offset, reason}}) =>
    printable(`${humanCount(records)} × ${code}, first at ${partition}/${offset}: ${reason}`),
  )
  return listed('No chunks', [counted(poison, 'record'), ...lines])
}

function groupFacts({group, members, partitions, files}: GroupStanding): (readonly [string, string])[] {
  const {done, next, open, superseded, partial} = files
  const counts = [
    `${humanCount(done)} done`,
    `${humanCount(next)} next`,
    ...(open > 0 ? [`${humanCount(open)} open`] : []),
    ...(superseded > 0 ? [`${humanCount(superseded)} superseded`] : []),
    ...(partial > 0 ? [`${humanCount(partial)} of which it has passed a part`] : []),
  ]
  return listed('Group', [
    `${printable(group)}: ${members === 0 ? 'no members' : counted(members, 'member')} now; files: ${counts.join(', ')}`,
    ...partitions.map(partitionLine),
  ])
}

function partitionLine({partition, safeOffset, lag, toRead, doneAbove, map}: GroupPartition): string {
  const where =
    safeOffset === null
      ? 'nothing committed'
      : `safe offset ${safeOffset}${lag === 0 ? ', at the end' : `, ${humanCount(lag)} behind the end`}`
  const done = doneAbove === 0 ? '' : `, ${humanCount(doneAbove)} of them done`
  const left = toRead === 0 ? '' : `; ${counted(toRead, 'record')} to read`
  const foreign =
    map === 'foreign' ? ' (the metadata of its commit is not of this topic, and is ignored)' : ''
  return `partition ${partition}: ${where}${done}${left}${foreign}`
}

/** The name before the first line only. */
const listed = (name: string, lines: readonly string[]) =>
  lines.map((line, at) => [at === 0 ? name : '', line] as const)

/** `2026-11-22 06:15:34` */
const shortTime = (time: string | null) => time?.slice(0, 19).replace('T', ' ') ?? '-'

/** `0-2,5` */
const shortList = (numbers: readonly number[]) =>
  formatRuns(IntervalSet.of(numbers.map((number) => ({start: number, end: number + 1}))))

const LONGEST_LIST = 60

const shortened = (list: string) =>
  list.length <= LONGEST_LIST ? list : `${list.slice(0, list.lastIndexOf(',', LONGEST_LIST))},…`

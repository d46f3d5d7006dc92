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
  const {topic, partitions, records, bytes, firstRecord, lastRecord, group, inventory} = report
  const size = `${counted(partitions.length, 'partition')}, ${counted(records, 'record')}, ${humanBytes(bytes)}`
  return [
    ['Topic', `${printable(topic)}: ${size}`],
    ...(firstRecord === null
      ? []
      : [['Records', `${shortTime(firstRecord)} to ${shortTime(lastRecord)} UTC`] as const]),
    ...listed('Files', fileFacts(report)),
    ...(inventory.length === 0 ? [] : listed('Chunks', chunkFacts(report))),
    ...(inventory.length === 0 ? [] : [['Sent by', producerFacts(report)] as const]),
    ...(report.poison === 0 ? [] : listed('Poison', poisonFacts(report))),
    ...(group === null ? [] : listed('Group', groupFacts(group))),
  ]
}

function fileFacts({files}: InspectReport): string[] {
  const {complete, unverified, incomplete, corrupt, superseded} = files
  const counts = [
    `${humanCount(complete)} complete`,
    ...(incomplete > 0 ? [`${humanCount(incomplete)} incomplete`] : []),
    ...(corrupt > 0 ? [`${humanCount(corrupt)} corrupt`] : []),
    ...(superseded > 0 ? [`${humanCount(superseded)} superseded by newer ones`] : []),
  ]
  const advice = `${humanCount(unverified)} not verified as a whole, chunks being out of order: --verify reads them again`
  return [counts.join(', '), ...(unverified > 0 ? [advice] : [])]
}

function chunkFacts({chunks, duplicates, files}: InspectReport): string[] {
  const repeated = duplicates === 0 ? '' : `, ${humanCount(duplicates)} of them repeated`
  const count = `${humanCount(chunks)}${repeated}`
  if (files.spread === 0) return [`${count}; each file in one partition`]
  return [
    `${count}; ${counted(files.spread, 'file')} spread over partitions`,
    'several consumers can put those together only with --assignment together',
  ]
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

function poisonFacts({poison, poisonCodes}: InspectReport): string[] {
  const lines = poisonCodes.map(({code, records, example: {partition, offset, reason}}) =>
    printable(`${humanCount(records)} × ${code}, first at ${partition}/${offset}: ${reason}`),
  )
  return [`${counted(poison, 'record')} that cannot be read as chunks`, ...lines]
}

function groupFacts({group, members, partitions, files}: GroupStanding): string[] {
  const {done, next, open, superseded, partial} = files
  const counts = [
    `${humanCount(done)} done`,
    `${humanCount(next)} next`,
    ...(open > 0 ? [`${humanCount(open)} open`] : []),
    ...(superseded > 0 ? [`${humanCount(superseded)} superseded`] : []),
    ...(partial > 0 ? [`${humanCount(partial)} passed in part`] : []),
  ]
  const present = members === 0 ? 'no members' : counted(members, 'member')
  return [
    `${printable(group)}, with ${present} now; of the files ${counts.join(', ')}`,
    ...partitions.map(partitionLine),
  ]
}

function partitionLine({partition, safeOffset, lag, toRead, doneAbove, map}: GroupPartition): string {
  const name = `partition ${partition}: `
  if (safeOffset === null) return `${name}nothing committed, ${counted(toRead, 'record')} to read`
  const done = doneAbove === 0 ? '' : `, ${humanCount(doneAbove)} of them done`
  const behind = lag === 0 ? 'at the end' : `${humanCount(lag)} behind the end${done}`
  const foreign = map === 'foreign' ? ' (the metadata of its commit is of something else, and ignored)' : ''
  return `${name}safe offset ${safeOffset}, ${behind}${foreign}`
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

/** Assemblies and what they are made of, for tests of the parts of `core/reassembly`. */
import {decodeChunk, type DecodedChunk} from '../../src/core/chunk/index.js'
import {Gauge} from '../../src/core/flow/index.js'
import type {Destination} from '../../src/core/ports/index.js'
import type {ConsumedRecord, OutgoingRecord} from '../../src/core/record.js'
import {Assembly, type AssemblySite} from '../../src/core/reassembly/assembly.js'
import {generationKey} from '../../src/core/reassembly/generation.js'
import {ReorderBudget} from '../../src/core/reassembly/reorder-buffer.js'
import {joined} from './chunks.js'
import {memorySpill, SharedStore, StoreDestination} from './delivery.js'

export interface ReadRecord {
  readonly record: ConsumedRecord
  readonly decoded: DecodedChunk
}

/** As a consumer would have it, at a place of the topic. */
export function read(record: OutgoingRecord, offset: number, partition = 0): ReadRecord {
  const consumed = {
    topic: 't',
    partition,
    offset,
    timestampMs: 1_700_000_000_000 + offset,
    key: null,
    headers: record.headers,
    value: joined(record.value),
  }
  const decoded = decodeChunk(consumed)
  if ('poison' in decoded) throw new Error(decoded.reason)
  return {record: consumed, decoded}
}

export interface SiteForTest extends AssemblySite {
  readonly writtenAll: Assembly[]
  readonly broken: {readonly assembly: Assembly; readonly code: string}[]
  readonly spill: ReturnType<typeof memorySpill>
}

export function siteOf(
  destination: Destination = new StoreDestination(new SharedStore()),
  memoryBytes = 1 << 20,
): SiteForTest {
  const writtenAll: SiteForTest['writtenAll'] = []
  const broken: SiteForTest['broken'] = []
  const spill = memorySpill()
  return {
    topic: 't',
    destination,
    reorder: new ReorderBudget(memoryBytes, spill),
    steps: {reached: () => undefined},
    written: new Gauge(),
    onWritten: (assembly) => writtenAll.push(assembly),
    onBroken: (assembly, {code}) => broken.push({assembly, code}),
    writtenAll,
    broken,
    spill,
  }
}

/** Of the records given, at ascending offsets. */
export function assemblyOf(records: readonly OutgoingRecord[], site = siteOf(), firstOffset = 0): Assembly {
  const found = records.map((record, i) => read(record, firstOffset + i))
  const {decoded, record} = found[0]!
  const assembly = new Assembly(generationKey(decoded), decoded, record, site)
  for (const each of found) assembly.accept(each.decoded, each.record, Date.now())
  return assembly
}

import {describe, expect, it} from 'vitest'
import {inspectionLines, summarizeInspection} from '../../../../src/cli/output/inspection.js'
import {factLines, tableLines} from '../../../../src/cli/output/table.js'
import type {InspectedFile, InspectReport} from '../../../../src/core/inspect-report.js'

const file = (facts: Partial<InspectedFile>): InspectedFile => ({
  path: 'a.csv',
  state: 'complete',
  bytes: 2048,
  sizeBytes: 2048,
  chunks: 2,
  chunksFound: 2,
  duplicates: 0,
  partitions: [0],
  verification: 'verified',
  sha512: 'ab',
  uploadId: null,
  producer: 'streamtool',
  firstRecord: '2026-05-01T10:00:00.000Z',
  lastRecord: '2026-05-01T10:00:01.500Z',
  ...facts,
})

const report = (facts: Partial<InspectReport> = {}): InspectReport => ({
  schema: 1,
  command: 'inspect',
  topic: 'files',
  interrupted: false,
  records: 2,
  bytes: 2200,
  chunks: 2,
  duplicates: 0,
  poison: 0,
  poisonCodes: [],
  firstRecord: '2026-05-01T10:00:00.000Z',
  lastRecord: '2026-05-01T10:00:01.500Z',
  files: {complete: 1, incomplete: 0, corrupt: 0, superseded: 0, unverified: 0, spread: 0},
  producers: {streamtool: 1, openmsistream: 0, 'openmsistream-9': 0},
  partitions: [{partition: 0, start: 0, end: 2, records: 2, chunks: 2, bytes: 2200}],
  group: null,
  inventory: [file({})],
  inventoryOmitted: 0,
  seconds: 1.25,
  ...facts,
})

describe('a table', () => {
  it('is aligned, and its last column is as long as it likes', () => {
    const lines = tableLines(
      [{title: 'N'}, {title: 'SIZE', align: 'right'}, {title: 'PATH'}],
      [
        ['first', '1', 'a'],
        ['2', '12,345', ''],
      ],
    )
    expect(lines).toEqual(['N        SIZE  PATH', 'first       1  a', '2      12,345'])
  })

  it('of facts puts their names in one column', () => {
    expect(
      factLines([
        ['Topic', 'a'],
        ['No', 'b'],
        ['', 'c'],
      ]),
    ).toEqual(['Topic  a', 'No     b', '       c'])
  })
})

describe('an inspected topic', () => {
  it('is its files, and what is to be said of all of them', () => {
    expect(inspectionLines(report())).toEqual([
      'STATE        SIZE  CHUNKS  PARTITION  LAST RECORD (UTC)    PATH',
      'complete  2.0 KiB       2  0          2026-05-01 10:00:01  a.csv',
      '',
      'Topic    files: 1 partition, 2 records, 2.1 KiB',
      'Records  2026-05-01 10:00:00 to 2026-05-01 10:00:01 UTC',
      'Files    1 complete',
      'Chunks   2; each file in one partition',
      'Sent by  streamtool (1 file)',
    ])
    expect(summarizeInspection(report()).headline).toBe('Read 2 records (2.1 KiB) of files in 1.3 s')
    expect(summarizeInspection(report({interrupted: true})).headline).toMatch(/^Interrupted\. Read/)
  })

  it('without a file has no table', () => {
    const files = {complete: 0, incomplete: 0, corrupt: 0, superseded: 0, unverified: 0, spread: 0}
    const lines = inspectionLines(report({records: 0, bytes: 0, inventory: [], firstRecord: null, files}))
    expect(lines).toEqual(['Topic  files: 1 partition, 0 records, 0 B', 'Files  0 complete'])
  })

  it('says beside a path what is wrong with the file, and lets no path move the cursor', () => {
    const missingChunks = Array.from({length: 40}, (_, index) => 2 * index + 1).join(',')
    const lines = inspectionLines(
      report({
        inventory: [
          file({
            path: 'cut',
            state: 'incomplete',
            missingChunks,
            chunksFound: 40,
            chunks: 80,
            verification: null,
          }),
          file({path: 'bad', state: 'corrupt', verification: 'mismatch', reason: 'another SHA-512'}),
          file({path: 'mixed', verification: 'unverified', reason: 'order', partitions: [0, 1, 2, 5]}),
          file({path: 'twice\u001b[2J', duplicates: 3, lastRecord: null}),
        ],
      }),
    )
    expect(lines[1]).toContain('40 of 80')
    expect(lines[1]).toMatch(/ cut {2}\(missing 1,3,5,.*,…\)$/)
    expect(lines[1]!.length).toBeLessThan(160)
    expect(lines[2]).toMatch(/ bad {2}\(another SHA-512\)$/)
    expect(lines[3]).toMatch(/ 0-2,5 .* mixed {2}\(not verified\)$/)
    expect(lines[4]).toMatch(/ - +twice\\x1b\[2J {2}\(3 chunks repeated\)$/)
  })

  it('tells what to do about files that are spread, or not verified, and about records that are no chunks', () => {
    const lines = inspectionLines(
      report({
        files: {complete: 3, incomplete: 1, corrupt: 1, superseded: 2, unverified: 1, spread: 2},
        producers: {streamtool: 0, openmsistream: 2, 'openmsistream-9': 1},
        poison: 3,
        poisonCodes: [
          {code: 'NOT_MSGPACK', records: 3, example: {partition: 1, offset: 7, reason: 'text \u001b'}},
        ],
        inventoryOmitted: 1200,
      }),
    ).join('\n')
    expect(lines).toContain('3 complete, 1 incomplete, 1 corrupt, 2 superseded by newer ones')
    expect(lines).toContain('--verify')
    expect(lines).toContain('--assignment together')
    expect(lines).toContain('OpenMSIStream (2 files), OpenMSIStream from before April 2026 (1 file)')
    expect(lines).toContain('3 × NOT_MSGPACK, first at 1/7: text \\x1b')
    expect(lines).toContain('… and 1,200 more; --events')
  })

  it('has a column and a paragraph for the group', () => {
    const lines = inspectionLines(
      report({
        inventory: [file({group: 'next'})],
        group: {
          group: 'g',
          members: 1,
          files: {done: 4, next: 1, open: 2, superseded: 1, partial: 1},
          partitions: [
            {partition: 0, safeOffset: 12, doneAbove: 3, map: 'ours', lag: 10, toRead: 7},
            {partition: 1, safeOffset: null, doneAbove: 0, map: 'none', lag: 5, toRead: 5},
            {partition: 2, safeOffset: 5, doneAbove: 0, map: 'foreign', lag: 0, toRead: 0},
          ],
        },
      }),
    )
    expect(lines.slice(0, 2)).toEqual([
      'GROUP  STATE        SIZE  CHUNKS  PARTITION  LAST RECORD (UTC)    PATH',
      'next   complete  2.0 KiB       2  0          2026-05-01 10:00:01  a.csv',
    ])
    expect(lines.slice(-4)).toEqual([
      'Group    g, with 1 member now; of the files 4 done, 1 next, 2 open, 1 superseded, 1 passed in part',
      '         partition 0: safe offset 12, 10 behind the end, 3 of them done',
      '         partition 1: nothing committed, 5 records to read',
      '         partition 2: safe offset 5, at the end (the metadata of its commit is of something else, and ignored)',
    ])
  })
})

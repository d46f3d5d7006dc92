import {describe, expect, it} from 'vitest'
import {progressLine, shortened} from '../../../../src/cli/output/progress-line.js'
import {
  counted,
  humanBytes,
  humanBytesOf,
  humanCount,
  humanSeconds,
} from '../../../../src/cli/output/quantities.js'
import {createRate} from '../../../../src/cli/output/rate.js'
import type {DeliverReport} from '../../../../src/core/report.js'
import {summarizeDelivery, summarizeUpload} from '../../../../src/cli/output/summary.js'

describe('amounts', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 KiB'],
    [524_288, '512 KiB'],
    [1_048_575, '1.0 MiB'],
    [1_610_612_736, '1.5 GiB'],
  ])('%d bytes are %s', (bytes, text) => expect(humanBytes(bytes)).toBe(text))

  it('of a total share their unit when they have the same', () => {
    expect(humanBytesOf(2 ** 30, 5 * 2 ** 30)).toBe('1.0 of 5.0 GiB')
    expect(humanBytesOf(2 ** 20, 5 * 2 ** 30)).toBe('1.0 MiB of 5.0 GiB')
  })

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [59.6, '1 min'],
    [185, '3 min 5 s'],
    [3_599.7, '1 h'],
    [7_800, '2 h 10 min'],
  ])('%d seconds are %s', (seconds, text) => expect(humanSeconds(seconds)).toBe(text))

  it('have separators and a plural', () => {
    expect(humanCount(1_234_567)).toBe('1,234,567')
    expect([counted(1, 'file'), counted(0, 'file')]).toEqual(['1 file', '0 files'])
  })
})

describe('the rate', () => {
  it('is of the last ten seconds, and null before there is enough to go by', () => {
    const rate = createRate()
    expect(rate.observe(0, 0)).toBeNull()
    expect(rate.observe(100, 100)).toBeNull()
    expect(rate.observe(1_000, 1_000)).toBe(1_000)
    for (let second = 2; second <= 40; second++) rate.observe(1_000, second * 1_000)
    expect(rate.observe(1_000, 41_000)).toBe(0)
  })
})

describe('the progress line', () => {
  const progress = {
    phase: 'sending',
    filesDone: 12,
    filesTotal: 300,
    bytesDone: 2 ** 30,
    bytesTotal: 5 * 2 ** 30,
    filesOpen: 0,
    currentPath: null,
  }
  it('has counts, bytes, rate and time left', () => {
    expect(progressLine(progress, 128 * 2 ** 20)).toBe(
      'sending: 12 of 300 files, 1.0 of 5.0 GiB, 128 MiB/s, 32 s left',
    )
  })

  it('leaves out what is not known', () => {
    const unknown = {...progress, filesTotal: null, bytesTotal: null, filesOpen: 3, phase: 'reading'}
    expect(progressLine(unknown, null)).toBe('reading: 12 files, 1.0 GiB, 3 open')
  })

  it('shortens a path in its middle', () => {
    expect(shortened('a/very/long/path/of/file.txt', 12)).toBe('a/v…file.txt')
    expect(shortened('short', 12)).toBe('short')
  })
})

describe('the summary', () => {
  const run = {schema: 1, command: 'x', topic: 't', seconds: 2, bytes: 2048, records: 3} as const

  it('of an upload', () => {
    const files = {uploaded: 1, skipped: 2, failed: 3}
    expect(summarizeUpload({...run, interrupted: true, files, problems: []}).headline).toBe(
      'Interrupted. Uploaded 1 file (2.0 KiB), 2 skipped, 3 failed to t in 2.0 s',
    )
  })

  it('of a delivery counts held files once, and lists what no log line has told', () => {
    const files = {
      delivered: 4,
      failed: 3,
      held: 1,
      open: 1,
      incomplete: 1,
      superseded: 0,
      parked: 0,
      skipped: 0,
    }
    const problem = {path: 'p', code: 'FILE_INCOMPLETE', reason: '1 of 2 chunks are missing.'}
    const report: DeliverReport = {
      ...run,
      group: 'g',
      interrupted: false,
      files,
      poison: 1,
      problems: [
        {...problem, outcome: 'open', missingChunks: '2'},
        {...problem, outcome: 'failed', path: 'told\u001b[31m'},
      ],
    }
    const {headline, details} = summarizeDelivery(report)
    expect(headline).toBe(
      'Delivered 4 files (2.0 KiB), 2 failed, 1 held, 1 incomplete, 1 open, 1 foreign record skipped from t in 2.0 s',
    )
    expect(summarizeDelivery(report, 'Processed').headline).toMatch(/^Processed 4 files/)
    expect(details).toEqual(['  open: p: 1 of 2 chunks are missing. Missing chunks: 2. (FILE_INCOMPLETE)'])
  })
})

import {describe, expect, it} from 'vitest'
import {encodeCommitMetadata} from '../../../../src/core/offsets/index.js'
import {resume} from '../../../../src/pipelines/delivery/partition-progress.js'

const at = {topic: 't', partition: 2}
const metadata = (base: number, ...runs: [number, number][]) => {
  const done = runs.map(([start, end]) => ({start, end}))
  return encodeCommitMetadata({clusterId: 'c', ...at, base}, done).metadata
}

describe('a start', () => {
  it('without a commit is at the beginning of the log', () => {
    const {progress, trimmed, truncatedFrom} = resume({...at, start: 7, end: 20, committed: null}, 'c')
    expect(progress).toMatchObject({readPosition: 7, endOffset: 20})
    expect({lost: trimmed.size, truncatedFrom}).toEqual({lost: 0, truncatedFrom: null})
  })

  it('goes on at the committed offset, knowing what was done above it', () => {
    const committed = {offset: 10, metadata: metadata(10, [12, 15])}
    const {progress} = resume({...at, start: 0, end: 20, committed}, 'c')
    expect(progress.readPosition).toBe(10)
    const done = [10, 11, 12, 13, 14, 15].filter((offset) => progress.ledger.isDone(offset))
    expect(done).toEqual([12, 13, 14])
  })

  it.each([
    ['of another cluster', 'other', 10],
    ['beside another offset', 'c', 11],
  ])('ignores a map %s', (_, clusterId, offset) => {
    const committed = {offset, metadata: metadata(10, [12, 15])}
    const {progress} = resume({...at, start: 0, end: 20, committed}, clusterId)
    expect(progress.ledger.isDone(12)).toBe(false)
  })

  it('ignores a map that reaches beyond the log: it is of a log that is no more', () => {
    const committed = {offset: 10, metadata: metadata(10, [12, 21])}
    const {progress} = resume({...at, start: 0, end: 20, committed}, 'c')
    expect(progress.ledger.doneAbove).toBe(0)
  })

  it('of a log that was trimmed writes off what was not done, and counts nothing else', () => {
    const committed = {offset: 10, metadata: metadata(10, [12, 15], [18, 19])}
    const {progress, trimmed} = resume({...at, start: 17, end: 20, committed}, 'c')
    expect([...trimmed.values()]).toEqual([10, 11, 15, 16])
    expect(progress.readPosition).toBe(17)
    expect(progress.ledger.isDone(18)).toBe(true)
  })

  it('of a log that was trimmed into a done run goes on behind that', () => {
    const committed = {offset: 10, metadata: metadata(10, [12, 18])}
    expect(resume({...at, start: 15, end: 20, committed}, 'c').progress.readPosition).toBe(18)
  })

  it('of a log that ends before the committed offset is at its beginning', () => {
    const committed = {offset: 30, metadata: ''}
    const {progress, truncatedFrom} = resume({...at, start: 5, end: 20, committed}, 'c')
    expect({truncatedFrom, position: progress.readPosition}).toEqual({truncatedFrom: 30, position: 5})
  })

  it('of a group that has read everything is at the end', () => {
    const committed = {offset: 20, metadata: ''}
    const {progress, truncatedFrom} = resume({...at, start: 5, end: 20, committed}, 'c')
    expect({truncatedFrom, position: progress.readPosition}).toEqual({truncatedFrom: null, position: 20})
  })
})

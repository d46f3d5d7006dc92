import {describe, expect, it} from 'vitest'
import {encodeCommitMetadata, type Run} from '../../../../src/core/offsets/index.js'
import type {CommittedOffset, TopicAdmin} from '../../../../src/core/ports/index.js'
import {waitForOthers} from '../../../../src/pipelines/delivery/other-members.js'
import {silentLogger} from '../../../support/delivery.js'

const at = (offset: number, runs: readonly Run[] = []): CommittedOffset => {
  const scope = {clusterId: 'c', topic: 't', partition: 0, base: offset}
  return {topic: 't', partition: 0, offset, metadata: encodeCommitMetadata(scope, runs).metadata}
}

/** Waits for a log of 10 records, in time that passes by itself. @returns after how many ms it was through */
async function waited(committed: (nowMs: number) => readonly CommittedOffset[]): Promise<number> {
  let nowMs = 0
  const clock = {nowMs: () => nowMs, sleep: async (ms: number) => void (nowMs += ms)}
  const admin = {committedOffsets: async () => committed(nowMs)} as unknown as TopicAdmin
  const through = new AbortController()
  const ends = [{topic: 't', partition: 0, start: 0, end: 10}]
  const options = {admin, clock, logger: silentLogger, group: 'g', topic: 't', clusterId: 'c', ends}
  await waitForOthers({...options, ownsNothing: () => true}, through, through.signal)
  return nowMs
}

describe('a member that owns nothing is through', () => {
  it('when the commits have reached the end, or with what is done above them', async () => {
    expect(await waited((nowMs) => [at(nowMs < 5000 ? 3 : 10)])).toBe(5000)
    expect(await waited((nowMs) => [nowMs < 5000 ? at(3) : at(3, [{start: 4, end: 10}])])).toBe(5000)
  })

  it('not while anything is committed, however long that takes', async () => {
    const offset = (nowMs: number) => Math.min(10, Math.floor(nowMs / 20_000))
    expect(await waited((nowMs) => [at(offset(nowMs))])).toBe(200_000)
  })

  it('when nothing more is committed: what is left may be a file that stays open', async () => {
    const throughMs = await waited(() => [at(3)])
    expect(throughMs).toBeGreaterThanOrEqual(30_000)
    expect(throughMs).toBeLessThan(40_000)
  })
})

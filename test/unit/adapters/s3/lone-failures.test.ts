import {describe, expect, it} from 'vitest'
import {LoneFailures} from '../../../../src/adapters/s3/lone-failures.js'
import {StreamtoolError} from '../../../../src/core/errors.js'
import {realClock} from '../../../support/delivery.js'

const SECOND_MS = 1000
const MINUTE_MS = 60_000

const failure = (facts: Record<string, string | number>) =>
  new StreamtoolError('STORE_UNREACHABLE', 'The store failed.', {facts})
const internalError = failure({key: 'k', status: 500})

/** Judges a work that has failed since 0, at the times that it is asked for. */
function judge() {
  const now = {ms: 0}
  const looks = {count: 0, failWith: null as Error | null}
  const lone = new LoneFailures({
    writesElsewhere: async () => {
      looks.count += 1
      if (looks.failWith !== null) throw looks.failWith
    },
    isOutage: (thrown) => thrown instanceof StreamtoolError && thrown.code === 'STORE_UNREACHABLE',
    clock: {...realClock, nowMs: () => now.ms},
  })
  const failing = {sinceMs: 0}
  const isLoneAt = async (ms: number, thrown = internalError, work = failing) => {
    now.ms = ms
    return (await lone.troubleOf(thrown, work)) === null
  }
  return {isLoneAt, looks}
}

describe('a failure at one object', () => {
  it('is its own when others were written for a while, after some patience', async () => {
    const {isLoneAt, looks} = judge()
    expect(await isLoneAt(MINUTE_MS - 1)).toBe(false)
    expect(looks.count).toBe(0)
    expect(await isLoneAt(MINUTE_MS)).toBe(false)
    expect(await isLoneAt(MINUTE_MS + 10 * SECOND_MS)).toBe(false)
    expect(await isLoneAt(MINUTE_MS + 20 * SECOND_MS)).toBe(true)
  })

  it('is not its own right after an outage, however long that was', async () => {
    const {isLoneAt, looks} = judge()
    looks.failWith = internalError
    for (let minute = 1; minute <= 10; minute += 1) expect(await isLoneAt(minute * MINUTE_MS)).toBe(false)
    looks.failWith = null
    const backMs = 10 * MINUTE_MS + SECOND_MS
    expect(await isLoneAt(backMs)).toBe(false)
    expect(await isLoneAt(backMs + 10 * SECOND_MS)).toBe(false)
    looks.failWith = internalError
    expect(await isLoneAt(backMs + 30 * SECOND_MS)).toBe(false)
    looks.failWith = null
    expect(await isLoneAt(backMs + 40 * SECOND_MS)).toBe(false)
    expect(await isLoneAt(backMs + 60 * SECOND_MS)).toBe(true)
  })

  it.each([
    ['without an answer', failure({key: 'k'})],
    ['while fewer requests are asked for', failure({key: 'k', status: 503})],
  ])('has more patience %s', async (_, thrown) => {
    const {isLoneAt, looks} = judge()
    expect(await isLoneAt(4 * MINUTE_MS, thrown)).toBe(false)
    expect(looks.count).toBe(0)
    expect(await isLoneAt(5 * MINUTE_MS, thrown)).toBe(false)
    expect(await isLoneAt(6 * MINUTE_MS, thrown)).toBe(true)
  })

  it('says nothing of another work', async () => {
    const {isLoneAt} = judge()
    const other = {sinceMs: 10 * MINUTE_MS}
    expect(await isLoneAt(10 * MINUTE_MS)).toBe(false)
    expect(await isLoneAt(11 * MINUTE_MS, internalError, other)).toBe(false)
    expect(await isLoneAt(11 * MINUTE_MS)).toBe(true)
  })

  it('is its own although the store refuses to write the other: it is there', async () => {
    const {isLoneAt, looks} = judge()
    looks.failWith = new StreamtoolError('STORE_FORBIDDEN', 'Not here.')
    expect(await isLoneAt(MINUTE_MS)).toBe(false)
    expect(await isLoneAt(2 * MINUTE_MS)).toBe(true)
  })
})

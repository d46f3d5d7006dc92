import {describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../../../src/core/errors.js'
import {
  CommitManager,
  type CommitManagerOptions,
  decodeCommitMetadata,
  PartitionLedger,
} from '../../../../src/core/offsets/index.js'
import type {Clock, CommittedOffset} from '../../../../src/core/ports/index.js'

const neverClock: Clock = {
  nowMs: () => 0,
  sleep: (_, signal) =>
    new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')))),
}

function setUp(overrides: Partial<CommitManagerOptions> = {}, lastKnown: CommittedOffset[] = []) {
  const accepted: CommittedOffset[][] = []
  const failures: string[] = []
  const steps: string[] = []
  const broker = {answer: (): Promise<void> => Promise.resolve()}
  const over = new AbortController()
  const ledger = new PartitionLedger(0)
  const epoch = {
    generation: 1,
    signal: over.signal,
    seek: () => undefined,
    commit: async (offsets: readonly CommittedOffset[]) => {
      await broker.answer()
      accepted.push([...offsets])
    },
  }
  const manager = new CommitManager(
    {topic: 't', clusterId: 'c', epoch, ledgers: () => [[0, ledger]]},
    {
      intervalMs: 5000,
      files: 1000,
      clock: neverClock,
      steps: {reached: (step) => steps.push(step)},
      onCommitted: () => undefined,
      onFailed: (error) => failures.push(error.code),
      ...overrides,
    },
    lastKnown,
  )
  return {manager, ledger, accepted, failures, steps, broker, over}
}

describe('CommitManager', () => {
  it('commits the safe offset with what is done above it', async () => {
    const {manager, ledger, accepted, steps} = setUp()
    for (const offset of [0, 1, 2]) ledger.see(offset)
    ledger.markDone([{start: 1, end: 3}])
    await manager.commit()
    expect(accepted).toHaveLength(1)
    const [[commit]] = accepted as [[CommittedOffset]]
    expect(commit.offset).toBe(0)
    expect(
      decodeCommitMetadata({clusterId: 'c', topic: 't', partition: 0, base: 0}, commit.metadata),
    ).toEqual([{start: 1, end: 3}])
    expect(steps).toEqual(['before-commit', 'after-commit'])
  })

  it('writes nothing when nothing changed', async () => {
    const {manager, accepted} = setUp({}, [{topic: 't', partition: 0, offset: 0, metadata: ''}])
    await manager.commit()
    expect(accepted).toEqual([])
  })

  it('a failed commit is built anew, never retried as it was', async () => {
    const {manager, ledger, accepted, failures, broker} = setUp()
    ledger.see(0)
    ledger.markDone([{start: 0, end: 1}])
    broker.answer = () => Promise.reject(new StreamtoolError('BROKER_UNREACHABLE', 'gone'))
    await manager.commit()
    expect(failures).toEqual(['BROKER_UNREACHABLE'])
    ledger.see(1)
    ledger.markDone([{start: 1, end: 2}])
    broker.answer = () => Promise.resolve()
    await manager.commit()
    expect(accepted.flat().map(({offset}) => offset)).toEqual([2])
  })

  it('has one commit in flight at a time', async () => {
    const {manager, ledger, accepted, broker} = setUp()
    let release: () => void = () => undefined
    broker.answer = () => new Promise((resolve) => (release = resolve))
    ledger.passTo(5)
    const first = manager.commit()
    await Promise.resolve()
    ledger.passTo(9)
    const second = manager.commit()
    await new Promise((resolve) => setImmediate(resolve))
    broker.answer = () => Promise.resolve()
    release()
    await Promise.all([first, second])
    expect(accepted.map(([commit]) => commit?.offset)).toEqual([5, 9])
  })

  it('begins no commit once its epoch is over, and reports no failure of a late one', async () => {
    const {manager, ledger, accepted, failures, over, broker} = setUp()
    ledger.passTo(5)
    broker.answer = () => {
      over.abort()
      return Promise.reject(new StreamtoolError('GROUP_STALE', 'the epoch is over'))
    }
    await manager.commit()
    ledger.passTo(6)
    await manager.commit()
    expect(accepted).toEqual([])
    expect(failures).toEqual([])
  })

  it('commits early after so many files', async () => {
    const {manager, ledger, accepted} = setUp({files: 3})
    ledger.passTo(7)
    manager.fileDone()
    manager.fileDone()
    expect(accepted).toEqual([])
    manager.fileDone()
    await manager.stop()
    expect(accepted.flat().map(({offset}) => offset)).toEqual([7])
  })

  it('commits every interval until stopped', async () => {
    let tick: () => void = () => undefined
    const clock: Clock = {
      nowMs: () => 0,
      sleep: (_, signal) =>
        new Promise((resolve, reject) => {
          tick = resolve
          signal?.addEventListener('abort', () => reject(new Error('stopped')))
        }),
    }
    const {manager, ledger, accepted} = setUp({clock})
    manager.start()
    for (const offset of [1, 2]) {
      ledger.passTo(offset)
      tick()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await manager.stop()
    expect(accepted.flat().map(({offset}) => offset)).toEqual([1, 2])
  })
})

import {describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../../../src/core/errors.js'
import {waitOut} from '../../../../src/core/flow/index.js'
import {realClock} from '../../../support/delivery.js'

const unreachable = () => new StreamtoolError('STORE_UNREACHABLE', 'The store does not answer.')

function watched() {
  const told: string[] = []
  const whenItAllows = waitOut({
    isSuspect: (thrown): thrown is StreamtoolError => thrown instanceof StreamtoolError && thrown.retriable,
    troubleOf: (suspect) => Promise.resolve(suspect),
    onBegin: () => told.push('begin'),
    onOver: () => told.push('over'),
    clock: {...realClock, sleep: (_, signal) => realClock.sleep(1, signal)},
  })
  return {told, whenItAllows}
}

/** Fails like this, one after another; then works. */
function failing(...failures: Error[]) {
  return () => {
    const failure = failures.shift()
    return failure ? Promise.reject(failure) : Promise.resolve('done')
  }
}

const never = () => new AbortController().signal

describe('an outage', () => {
  it('is told once at its beginning and once at its end', async () => {
    const {told, whenItAllows} = watched()
    const works = [
      failing(unreachable(), unreachable(), unreachable()),
      failing(unreachable(), unreachable()),
    ]
    expect(await Promise.all(works.map((work) => whenItAllows(work, never)))).toEqual(['done', 'done'])
    expect(told).toEqual(['begin', 'over'])
  })

  it('did not stay on for ever when the only one that waited got an answer that it did not like', async () => {
    const {told, whenItAllows} = watched()
    const taken = new StreamtoolError('FILE_EXISTS', 'Another object has the key.')
    await expect(whenItAllows(failing(unreachable(), unreachable(), taken), never)).rejects.toBe(taken)
    expect(told).toEqual(['begin', 'over'])
  })

  it('did not stay on for ever when the only one that waited was told to stop: the next that works ends it', async () => {
    const {told, whenItAllows} = watched()
    const stop = new AbortController()
    const waiting = whenItAllows(
      () => Promise.reject(unreachable()),
      () => stop.signal,
    )
    setTimeout(() => stop.abort(new Error('stop')), 20)
    await expect(waiting).rejects.toThrow('stop')
    expect(told).toEqual(['begin'])
    expect(await whenItAllows(failing(), never)).toBe('done')
    expect(told).toEqual(['begin', 'over'])
  })
})

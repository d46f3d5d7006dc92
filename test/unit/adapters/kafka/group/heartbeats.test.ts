import {describe, expect, it} from 'vitest'
import {Heartbeats, type HeartbeatVerdict} from '../../../../../src/adapters/kafka/group/heartbeats.js'
import {ProtocolFailure, TransportFailure} from '../../../../../src/adapters/kafka/transport/failures.js'
import {errorOfCode} from '../../../../../src/adapters/kafka/transport/kafkajs-internals.js'
import {ManualClock, settle} from '../clocks.js'

const code = {unknownMember: 25, illegalGeneration: 22, rebalance: 27, fenced: 82}
const refusal = (errorCode: number) => new ProtocolFailure(errorOfCode(errorCode))

function start(answer: (beat: number, signal: AbortSignal) => void | Promise<void> = () => undefined) {
  const clock = new ManualClock()
  const verdicts: HeartbeatVerdict[] = []
  const beats: {atMs: number; timeoutMs: number}[] = []
  const startedMs = clock.nowMs()
  const stop = new AbortController()
  const heartbeats = new Heartbeats({
    heartbeatMs: 1_000,
    sessionTimeoutMs: 10_000,
    clock,
    beat: async (timeoutMs, signal) => {
      beats.push({atMs: clock.nowMs() - startedMs, timeoutMs})
      await answer(beats.length, signal)
    },
    isOutage: (error) => error instanceof TransportFailure,
    tell: (verdict) => verdicts.push(verdict),
  })
  return {clock, verdicts, beats, heartbeats, stop, run: heartbeats.run(stop.signal)}
}

const away = () => {
  throw new TransportFailure('lost', 'broker:9092', 'gone')
}

describe('Heartbeats', () => {
  it('beat on time, and say nothing while all is well', async () => {
    const {clock, beats, verdicts, stop, run} = start()
    await clock.pass(5_000)
    expect(beats.map(({atMs}) => atMs)).toEqual([1_000, 2_000, 3_000, 4_000, 5_000])
    stop.abort()
    await run
    expect(verdicts).toEqual([])
  })

  it('tell of a rebalance once, and go on', async () => {
    const {clock, beats, verdicts, stop, run} = start((beat) => {
      if (beat > 2) throw refusal(code.rebalance)
    })
    await clock.pass(30_000)
    expect(verdicts).toEqual([{kind: 'rebalance'}])
    expect(beats).toHaveLength(30)
    stop.abort()
    await run
  })

  it.each([
    ['forgotten', code.unknownMember],
    ['superseded', code.illegalGeneration],
  ] as const)('end when this member is %s', async (kind, errorCode) => {
    const {clock, beats, verdicts, run} = start((beat) => {
      if (beat === 3) throw refusal(errorCode)
    })
    await clock.pass(10_000)
    await run
    expect(verdicts).toEqual([{kind}])
    expect(beats).toHaveLength(3)
  })

  it('end with what else the coordinator refuses, such as a fenced instance', async () => {
    const error = refusal(code.fenced)
    const {clock, verdicts, run} = start(() => {
      throw error
    })
    await clock.pass(1_000)
    await run
    expect(verdicts).toEqual([{kind: 'refused', error}])
  })

  it('outlast an outage that is shorter than the session, trying often', async () => {
    const {clock, beats, verdicts, stop, run} = start((beat) => {
      if (beat > 1 && beat < 30) away()
    })
    await clock.pass(20_000)
    expect(verdicts).toEqual([])
    expect(beats[2]!.atMs - beats[1]!.atMs).toBeLessThan(1_000)
    stop.abort()
    await run
  })

  it('know that the session is over when nothing was heard for its whole length', async () => {
    const {clock, verdicts, run} = start((beat) => {
      if (beat > 2) away()
    })
    await clock.pass(11_999)
    expect(verdicts).toEqual([])
    await clock.pass(1)
    await run
    expect(verdicts).toEqual([{kind: 'expired'}])
  })

  it('know it also when the answer hangs: an answer is awaited no longer than the session lasts', async () => {
    const {clock, beats, verdicts, stop, run} = start(async (_beat, signal) => {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    })
    await clock.pass(1_000)
    expect(beats[0]!.timeoutMs).toBeLessThanOrEqual(9_000)
    stop.abort()
    await run
    expect(verdicts).toEqual([])
  })

  it('know it when this process itself stood still', async () => {
    const {clock, beats, verdicts, run} = start()
    await clock.pass(1_000)
    clock.jump(60_000)
    await clock.pass(1_000)
    await run
    expect(verdicts).toEqual([{kind: 'expired'}])
    expect(beats).toHaveLength(1)
  })

  it('beat at once when asked to', async () => {
    const {clock, beats, heartbeats, stop, run} = start()
    await clock.pass(100)
    heartbeats.now()
    await settle()
    expect(beats).toHaveLength(1)
    stop.abort()
    await run
  })
})

import {describe, expect, it} from 'vitest'
import {decodeFailedRecord, decodeLetter} from '../../../src/core/dead-letters/index.js'
import {StreamtoolError} from '../../../src/core/errors.js'
import {identity, reversing, type RecordTransform} from '../../../src/core/relay/index.js'
import type {RunControl} from '../../../src/core/ports/index.js'
import {RecordingReporter} from '../../support/delivery.js'
import {eventually} from '../../support/eventually.js'
import {RELAY_DEFAULTS} from '../../../src/pipelines/relaying/options.js'
import {byText, put, QUICK_RETRY, recordsOn, relay, relayKafka, valuesOn} from '../../support/relay.js'

const header = (key: string, value: string | Buffer | null) => ({
  key,
  value: typeof value === 'string' ? Buffer.from(value) : value,
})

describe('relayRecords', () => {
  it('passes key, value, headers and time on as they were', async () => {
    const kafka = await relayKafka()
    const headers = [
      header('dup', 'one'),
      header('bin', Buffer.from([0, 255, 254, 128])),
      header('dup', 'two'),
      header('empty', ''),
      header('null', null),
      header('id', 'x'),
      header('contentType', 'text/plain'),
    ]
    await put(kafka, [
      {key: Buffer.from([0, 255, 128]), value: 'v', headers, timestampMs: 1_000},
      {key: Buffer.from('t'), value: null, timestampMs: 2_000},
      {key: null, value: '', timestampMs: 3_000},
    ])
    const {report, exitCode} = await relay({kafka})
    const [records] = await recordsOn(kafka)
    expect(records).toMatchObject([
      {key: Buffer.from([0, 255, 128]), value: Buffer.from('v'), headers, timestampMs: 1_000},
      {key: Buffer.from('t'), value: null, headers: [], timestampMs: 2_000},
      {key: null, value: Buffer.alloc(0), headers: [], timestampMs: 3_000},
    ])
    expect(exitCode).toBe(0)
    expect(report).toMatchObject({
      schema: 1,
      command: 'passthrough',
      input: 'in',
      output: 'out',
      group: 'g',
      interrupted: false,
      records: {read: 3, written: 3, failed: 0, deadLettered: 0},
    })
  })

  it('passes on what it has read when the log is trimmed behind that', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}, {value: 'b'}])
    let begin = (): void => undefined
    let goOn = (): void => undefined
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    const waiting: RecordTransform = {
      ...identity,
      transform: async (...args) => {
        begin()
        await gate
        return identity.transform(...args)
      },
    }
    const stop = new AbortController()
    const relaying = relay({kafka, transform: waiting, options: {once: false}, signal: stop.signal})
    await begun
    await put(kafka, [{value: 'c'}, {value: 'd'}])
    kafka.trimLog({topic: 'in', partition: 0}, 3)
    await new Promise((resolve) => setTimeout(resolve, 20))
    goOn()
    await eventually('the rest is passed on', async () => (await valuesOn(kafka)).includes('d'))
    stop.abort()
    await relaying
    expect(await valuesOn(kafka)).toEqual(['a', 'b', 'd'])
  })

  it('goes on where the group stands, and reads nothing twice', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}, {value: 'b'}])
    await relay({kafka})
    await put(kafka, [{value: 'c'}])
    const {report} = await relay({kafka})
    expect(await valuesOn(kafka)).toEqual(['a', 'b', 'c'])
    expect(report.records.read).toBe(1)
  })

  it('commits nothing that the output has not acknowledged', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}, {value: 'b'}])
    kafka.failNext('produce', 'refused')
    await expect(relay({kafka})).rejects.toMatchObject({code: 'BROKER_UNREACHABLE'})
    const committed = await kafka.admin().committedOffsets('g', 'in')
    expect(committed.every(({offset}) => offset === 0)).toBe(true)
    await relay({kafka})
    expect(await valuesOn(kafka)).toEqual(['a', 'b'])
  })

  it('relays several inputs as one member of one group', async () => {
    const kafka = await relayKafka()
    await kafka.admin().createTopic('in2', {partitions: 2})
    await put(kafka, [{value: 'a'}])
    await put(kafka, [{value: 'b'}], {topic: 'in2', partition: 1})
    const {report} = await relay({kafka, options: {inputs: ['in', 'in2']}})
    expect((await valuesOn(kafka)).sort()).toEqual(['a', 'b'])
    expect(report.input).toBe('in,in2')
    expect(await kafka.admin().committedOffsets('g', 'in2')).toMatchObject([{offset: 0}, {offset: 1}])
  })

  it('reverses the recipe: hello world', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{key: Buffer.from('k'), value: 'hello world'}, {value: null}])
    await relay({kafka, transform: reversing('grapheme')})
    expect(await valuesOn(kafka)).toEqual(['dlrow olleh', null])
  })

  it('writes several records for one, or none, and counts what is written', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'twice'}, {value: 'never'}, {value: 'once'}])
    const transform: RecordTransform = {
      ...identity,
      transform: async (record) => {
        const text = String(record.value)
        const out = {key: null, headers: [], value: [Buffer.from(text)]}
        return text === 'twice' ? [out, out] : text === 'never' ? null : out
      },
    }
    const {report} = await relay({kafka, transform})
    expect(await valuesOn(kafka)).toEqual(['twice', 'twice', 'once'])
    expect(report.records).toEqual({read: 3, written: 3, failed: 0, deadLettered: 0})
    expect((await relay({kafka, transform})).report.records.read).toBe(0)
  })

  it('keeps keyless records of one input partition in one output partition', async () => {
    const kafka = await relayKafka({inPartitions: 3, outPartitions: 2})
    for (const partition of [0, 1, 2])
      await put(kafka, [{value: `${partition}a`}, {value: `${partition}b`}], {partition})
    await relay({kafka})
    const [first, second] = await recordsOn(kafka)
    expect(second?.map(({value}) => String(value))).toEqual(['1a', '1b'])
    expect(first?.map(({value}) => String(value)).filter((text) => text.startsWith('2'))).toEqual([
      '2a',
      '2b',
    ])
  })

  it('begins at the end of the topic when told so, and keeps that place', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'old'}])
    await relay({kafka, options: {startOffset: 'latest'}})
    await put(kafka, [{value: 'new'}])
    await relay({kafka, options: {startOffset: 'latest'}})
    expect(await valuesOn(kafka)).toEqual(['new'])
  })

  it('begins at the end only where the group is new: partitions that came later were once cut short', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'old'}])
    await relay({kafka, options: {startOffset: 'latest'}})
    kafka.addPartitions('in', 2)
    await put(kafka, [{value: 'new'}], {partition: 1})
    await relay({kafka, options: {startOffset: 'latest'}})
    expect(await valuesOn(kafka)).toEqual(['new'])
  })

  it('keeps the first records of a partition that is added while it runs, with "latest" too', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'old'}])
    const stop = new AbortController()
    const reporter = new RecordingReporter()
    const options = {startOffset: 'latest', once: false} as const
    const running = relay({kafka, signal: stop.signal, options, reporter})
    await eventually('its place is kept', async () =>
      (await kafka.admin().committedOffsets('g', 'in')).some(({offset}) => offset === 1),
    )
    kafka.addPartitions('in', 2)
    await put(kafka, [{value: 'new'}], {partition: 1})
    kafka.forceRebalance('g')
    await eventually('new is relayed', async () => (await valuesOn(kafka)).join() === 'new')
    stop.abort()
    await running
  })

  it('ends well on a signal, and is interrupted only with --once', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}])
    const stop = new AbortController()
    const running = relay({kafka, signal: stop.signal, options: {once: false}})
    await eventually('a is relayed', async () => (await valuesOn(kafka)).join() === 'a')
    stop.abort()
    const {report, exitCode} = await running
    expect([exitCode, report.interrupted]).toEqual([0, false])
    expect(await kafka.admin().committedOffsets('g', 'in')).toMatchObject([{offset: 1}])
  })

  it('goes through a rebalance without losing or doubling what is acknowledged', async () => {
    const kafka = await relayKafka({inPartitions: 2, outPartitions: 2})
    for (const partition of [0, 1])
      await put(
        kafka,
        Array.from({length: 50}, (_, i) => ({value: `${partition}-${i}`})),
        {partition},
      )
    let records = 0
    const transform = byText((text) => {
      if (++records % 20 === 0) kafka.forceRebalance('g')
      return text
    })
    const {report} = await relay({kafka, transform})
    expect((await valuesOn(kafka)).length).toBe(100)
    expect(report.records.written).toBe(100)
  })
})

describe('a record that fails', () => {
  const failing = (
    texts: readonly string[],
    error = new Error('boom'),
  ): RecordTransform & {tries: string[]} => {
    const tries: string[] = []
    return {
      ...byText((text) => {
        tries.push(text)
        if (texts.includes(text)) throw error
        return text
      }),
      tries,
    }
  }

  it('stops the run by default, named, with everything before it committed', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}, {value: 'bad'}, {value: 'c'}])
    const reporter = new RecordingReporter()
    const failed = await relay({kafka, transform: failing(['bad']), reporter}).catch((e: unknown) => e)
    expect(failed).toBeInstanceOf(StreamtoolError)
    expect(failed).toMatchObject({code: 'RECORD_FAILED', exitCode: 4})
    expect(String(failed)).toContain('in-0@1')
    expect(reporter.events).toContainEqual(
      expect.objectContaining({event: 'record.failed', offset: 1, outcome: 'stopped', attempts: 3}),
    )
    expect(await kafka.admin().committedOffsets('g', 'in')).toMatchObject([{offset: 1}])
    await relay({kafka})
    expect(await valuesOn(kafka)).toEqual(['a', 'bad', 'c'])
  })

  it('is tried three times, and then skipped when that is wanted', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}, {value: 'bad'}, {value: 'c'}])
    const transform = failing(['bad'])
    const {report, exitCode} = await relay({
      kafka,
      transform,
      options: {failure: {onFailure: 'skip', deadLetterTopic: null, deadLetterPartitions: null}},
    })
    expect(transform.tries).toEqual(['a', 'bad', 'bad', 'bad', 'c'])
    expect(await valuesOn(kafka)).toEqual(['a', 'c'])
    expect(report.records).toEqual({read: 3, written: 2, failed: 1, deadLettered: 0})
    expect(exitCode).toBe(4)
  })

  it('is not tried again when it says that this will not help', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: Buffer.from([0xff, 0xfe])}])
    const reporter = new RecordingReporter()
    await expect(relay({kafka, transform: reversing('grapheme'), reporter})).rejects.toMatchObject({
      code: 'RECORD_FAILED',
    })
    expect(reporter.events).toContainEqual(expect.objectContaining({event: 'record.failed', attempts: 1}))
  })

  it('may take only so long, when that was said: a transform that never answers once held up its partition', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'silent'}, {value: 'x'}])
    const given: AbortSignal[] = []
    const transform: RecordTransform = {
      ...identity,
      transform(record, signal) {
        if (String(record.value) !== 'silent') return identity.transform(record, signal)
        given.push(signal)
        return new Promise(() => undefined)
      },
    }
    const reporter = new RecordingReporter()
    const failure = {onFailure: 'skip', deadLetterTopic: null, deadLetterPartitions: null} as const
    const retry = {...QUICK_RETRY, timeoutMs: 20}
    const {report} = await relay({kafka, transform, reporter, options: {failure, retry}})
    expect(report.records).toMatchObject({read: 2, written: 1, failed: 1})
    expect(reporter.events.find(({event}) => event === 'record.failed')).toMatchObject({
      code: 'PROCESSING_TIMED_OUT',
      attempts: 3,
    })
    expect(given.map(({aborted}) => aborted)).toEqual([true, true, true])
  })

  it('ends the run at once when no other record would fare better', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}])
    const transform: RecordTransform = {
      ...identity,
      transform() {
        throw new StreamtoolError('PROGRAM_OUT_OF_STEP', 'which is which?')
      },
    }
    const failure = {onFailure: 'skip', deadLetterTopic: null, deadLetterPartitions: null} as const
    await expect(relay({kafka, transform, options: {failure}})).rejects.toMatchObject({
      code: 'PROGRAM_OUT_OF_STEP',
    })
    expect(await kafka.admin().committedOffsets('g', 'in')).toMatchObject([{offset: 0}])
  })

  it('succeeds at a later attempt like any other', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'a'}, {value: 'b'}])
    let left = 2
    const transform = byText((text) => {
      if (text === 'a' && left-- > 0) throw new Error('not yet')
      return text
    })
    const {report} = await relay({kafka, transform})
    expect(await valuesOn(kafka)).toEqual(['a', 'b'])
    expect(report.records.failed).toBe(0)
  })

  it('goes to the dead-letter topic, to its own partition', async () => {
    const kafka = await relayKafka({inPartitions: 2})
    await put(kafka, [{key: Buffer.from('k'), value: 'bad', headers: [header('h', 'x')], timestampMs: 5}], {
      partition: 1,
    })
    const {report} = await relay({
      kafka,
      transform: failing(['bad']),
      options: {
        failure: {onFailure: 'dead-letter', deadLetterTopic: null, deadLetterPartitions: null},
        topicCreation: {autoCreate: true, replicationFactor: null, minPartitionCount: 1},
      },
    })
    const letters = await recordsOn(kafka, 'error.in.g')
    expect(letters.map((records) => records.length)).toEqual([0, 1])
    expect(letters[1]?.[0]).toMatchObject({key: Buffer.from('k'), value: Buffer.from('bad')})
    expect(letters[1]?.[0]?.headers.map(({key}) => key)).toEqual([
      'h',
      'x-original-topic',
      'x-original-partition',
      'x-original-offset',
      'x-original-timestamp',
      'x-original-timestamp-type',
      'x-exception-fqcn',
      'x-exception-message',
      'x-exception-stacktrace',
    ])
    expect(report.records).toEqual({read: 1, written: 0, failed: 1, deadLettered: 1})
  })

  it('is refused by the output as too large, and is dealt with like any other failure', async () => {
    const kafka = await relayKafka()
    const small = {value: 'small'}
    await kafka.admin().createTopic('narrow', {partitions: 1, config: {'max.message.bytes': '1000'}})
    await put(kafka, [small, {value: 'x'.repeat(2000)}, small])
    const {report} = await relay({
      kafka,
      options: {
        output: 'narrow',
        failure: {onFailure: 'skip', deadLetterTopic: null, deadLetterPartitions: null},
      },
    })
    expect(await valuesOn(kafka, 'narrow')).toEqual(['small', 'small'])
    expect(report.records).toMatchObject({read: 3, failed: 1})
  })

  it('keeps its place when it is too large and stops the run: those behind it once went first', async () => {
    const kafka = await relayKafka()
    await kafka.admin().createTopic('narrow', {partitions: 1, config: {'max.message.bytes': '1000'}})
    await put(kafka, [{value: 'a'}, {value: 'x'.repeat(2000)}, {value: 'c'}])
    await expect(relay({kafka, options: {output: 'narrow'}})).rejects.toMatchObject({code: 'RECORD_FAILED'})
    expect(await valuesOn(kafka, 'narrow')).toEqual(['a'])
    expect(await kafka.admin().committedOffsets('g', 'in')).toMatchObject([{offset: 1}])
    await relay({kafka})
    expect(await valuesOn(kafka)).toEqual(['x'.repeat(2000), 'c'])
  })

  it.each([
    {limit: 2000, value: 'in short', kept: true},
    {limit: 900, value: 'by reference', kept: false},
  ])('has a letter $value when the dead-letter topic takes no larger one', async ({limit, kept}) => {
    const kafka = await relayKafka()
    const config = {'max.message.bytes': String(limit)}
    await kafka.admin().createTopic('letters', {partitions: 1, config})
    const bad = 'x'.repeat(700)
    await put(kafka, [{key: Buffer.from('k'), value: bad}, {value: 'next'}])
    const {report} = await relay({
      kafka,
      transform: failing([bad], new Error('why '.repeat(1000))),
      options: {failure: {onFailure: 'dead-letter', deadLetterTopic: 'letters', deadLetterPartitions: null}},
    })
    expect(report.records).toEqual({read: 2, written: 1, failed: 1, deadLettered: 1})
    const [letters] = await recordsOn(kafka, 'letters')
    expect(letters).toHaveLength(1)
    const [letter] = letters ?? []
    if (letter === undefined) return
    if (kept) expect(decodeFailedRecord(letter)?.origin).toEqual({topic: 'in', partition: 0, offset: 0})
    // Sent back as a record without a value it would be a tombstone.
    else expect(decodeFailedRecord(letter)).toBeNull()
    if (!kept)
      expect(decodeLetter(letter)).toMatchObject({
        origin: {topic: 'in', partition: 0, offset: 0},
        isCopy: false,
      })
  })
})

describe('topics of a relay', () => {
  it('are not made unless that is wanted', async () => {
    const kafka = await relayKafka()
    await expect(
      relay({
        kafka,
        options: {
          output: 'new',
          topicCreation: {autoCreate: false, replicationFactor: null, minPartitionCount: 1},
        },
      }),
    ).rejects.toMatchObject({code: 'TOPIC_UNKNOWN'})
  })

  it('are kept whole for groups that are required', async () => {
    const kafka = await relayKafka()
    await put(kafka, [{value: 'before'}], {topic: 'out'})
    await relay({kafka, options: {requiredGroups: ['later']}})
    expect(await kafka.admin().committedOffsets('later', 'out')).toMatchObject([{partition: 0, offset: 0}])
  })
})

describe('the control of a relay', () => {
  it('pauses and resumes, stops and starts', async () => {
    const kafka = await relayKafka()
    const stop = new AbortController()
    let control: RunControl | undefined
    const running = relay({
      kafka,
      signal: stop.signal,
      options: {once: false},
      onControl: (given) => (control = given),
    })
    const input = () => control?.status().inputs[0]
    await eventually('it is assigned', () => input()?.partitions?.length === 1)
    expect(control?.status().phase).toBe('running')

    await control?.pause('input')
    await put(kafka, [{value: 'a'}])
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(await valuesOn(kafka)).toEqual([])
    expect(input()?.state).toBe('paused')
    await control?.resume('input')
    await eventually('a is relayed', async () => (await valuesOn(kafka)).join() === 'a')

    await control?.stop('input')
    expect(await kafka.admin().groupMembers('g')).toEqual([])
    expect(input()).toMatchObject({state: 'stopped', partitions: null})
    await put(kafka, [{value: 'b'}])
    await control?.start('input')
    await eventually('b is relayed', async () => (await valuesOn(kafka)).join() === 'a,b')
    expect(input()?.partitions).toMatchObject([{partition: 0, endOffset: 2}])

    stop.abort()
    expect((await running).exitCode).toBe(0)
    expect(control?.status().phase).toBe('ended')
  })

  it('stops the output: nothing is sent, reading waits, and a stop of the run waits for nothing', async () => {
    const kafka = await relayKafka()
    const stop = new AbortController()
    let control: RunControl | undefined
    const flow = {...RELAY_DEFAULTS.flow, inFlightRecords: 3}
    const start = () =>
      relay({
        kafka,
        signal: stop.signal,
        options: {once: false, flow},
        onControl: (given) => (control = given),
      })
    const running = start()
    await eventually('it is assigned', () => control?.status().inputs[0]?.partitions?.length === 1)
    await control?.stop('output')
    await control?.pause('output')
    expect(control?.status().outputs).toMatchObject([{state: 'stopped'}])
    await put(
      kafka,
      Array.from({length: 9}, (_, i) => ({value: String(i)})),
    )
    await eventually('no more is read', () => control?.status().levels['in.flight.records'] === 4)
    expect(await valuesOn(kafka)).toEqual([])
    await control?.start('output')
    await eventually('all is relayed', async () => (await valuesOn(kafka)).join('') === '012345678')
    expect(control?.status().outputs).toMatchObject([{state: 'running'}])

    await control?.stop('output')
    await put(kafka, [{value: 'later'}])
    await eventually('it is read', () => control?.status().levels['in.flight.records'] === 1)
    const stopping = performance.now()
    stop.abort()
    await running
    expect(performance.now() - stopping).toBeLessThan(2000)
    expect(await valuesOn(kafka)).not.toContain('later')
    await relay({kafka})
    expect(await valuesOn(kafka)).toContain('later')
  })

  it('ends the run', async () => {
    const kafka = await relayKafka()
    let control: RunControl | undefined
    const running = relay({kafka, options: {once: false}, onControl: (given) => (control = given)})
    await eventually('it runs', () => control?.status().phase === 'running')
    control?.shutdown('asked')
    expect((await running).exitCode).toBe(0)
  })
})

import {readFileSync} from 'node:fs'
import {afterEach, describe, expect, it, vi} from 'vitest'
import type {OutgoingRecord} from '../../../../src/core/ports/index.js'
import type {RecordTransform} from '../../../../src/core/relay/index.js'
import {programTransform} from '../../../../src/processors/transforms/program-transform.js'
import {silentLogger} from '../../../support/delivery.js'
import {eventually} from '../../../support/eventually.js'

const record = (value: string | Buffer | null, offset = 0) => ({
  topic: 'in',
  partition: 0,
  offset,
  timestampMs: 5,
  key: Buffer.from('k'),
  value: value === null ? null : Buffer.from(value),
  headers: [{key: 'h', value: Buffer.from([0, 255])}],
})
const signal = new AbortController().signal
const surroundings = {
  logger: silentLogger,
  environment: process.env,
  concurrency: 1,
  fail: (error: Error) => void failures.push(error),
}
const failures: Error[] = []

/** A program in node that answers each line by an expression over `r`, the record. */
const program = (answer: string) =>
  `node -e 'require("readline").createInterface({input: process.stdin}).on("line", (l) => { const r = JSON.parse(l); ${answer} })'`
const answering = (expression: string) => program(`console.log(JSON.stringify(${expression}))`)

/** Ended; in a container without an init it may wait for somebody to collect it. */
function isOver(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

describe('programTransform', () => {
  let opened: RecordTransform | null = null
  const open = async (command: string) => (opened = await programTransform(command, surroundings))
  afterEach(async () => {
    await opened?.close()
    opened = null
    failures.length = 0
  })

  it('answers text by text, and leaves key, headers and time alone', async () => {
    const transform = await open(answering('{text: r.text.toUpperCase()}'))
    expect(await transform.transform(record('hällo'), signal)).toEqual({
      key: Buffer.from('k'),
      value: [Buffer.from('HÄLLO')],
      headers: [{key: 'h', value: Buffer.from([0, 255])}],
      timestampMs: 5,
    })
  })

  it('carries bytes, tombstones, headers and keys as base64', async () => {
    const transform = await open(
      answering('{value: r.value, key: null, headers: r.headers.concat([["n", null]])}'),
    )
    expect(await transform.transform(record(Buffer.from([255, 0])), signal)).toMatchObject({
      key: null,
      value: [Buffer.from([255, 0])],
      headers: [
        {key: 'h', value: Buffer.from([0, 255])},
        {key: 'n', value: null},
      ],
    })
    expect(await transform.transform(record(null), signal)).toMatchObject({value: null})
  })

  it('answers with several, or with none', async () => {
    const transform = await open(answering('r.text === "none" ? null : [{text: "1"}, {text: "2"}]'))
    expect(await transform.transform(record('both'), signal)).toMatchObject([
      {value: [Buffer.from('1')]},
      {value: [Buffer.from('2')]},
    ])
    expect(await transform.transform(record('none'), signal)).toBeNull()
  })

  it('keeps answers with their records when many wait', async () => {
    const transform = await open(answering('{text: r.text + "!"}'))
    const answers = await Promise.all(
      Array.from({length: 50}, (_, i) => Promise.resolve(transform.transform(record(String(i), i), signal))),
    )
    expect(answers).toMatchObject(Array.from({length: 50}, (_, i) => ({value: [Buffer.from(`${i}!`)]})))
  })

  it('fails the attempt when the program says so, or answers with what is no answer', async () => {
    const transform = await open(answering('r.text === "bad" ? {error: "no"} : {value: 5}'))
    await expect(transform.transform(record('bad'), signal)).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
    })
    await expect(transform.transform(record('x'), signal)).rejects.toThrow('not base64')
  })

  it('starts the program again when it has died', async () => {
    const transform = await open(program('if (r.text === "die") process.exit(3); else console.log("{}")'))
    await expect(transform.transform(record('die'), signal)).rejects.toMatchObject({
      code: 'PROCESSOR_CRASHED',
    })
    expect(await transform.transform(record('live'), signal)).toMatchObject({value: [Buffer.from('live')]})
  })

  it('hands no password of ours to the program, as it once did', async () => {
    opened = await programTransform(answering('{text: JSON.stringify(process.env)}'), {
      ...surroundings,
      environment: {
        PATH: process.env['PATH'],
        MINE: 'kept',
        STREAMTOOL_SASL_PASSWORD: 'secret',
        SPRING_APPLICATION_JSON: '{"spring.cloud.stream.kafka.binder.jaas.options.password":"secret"}',
        'spring.cloud.stream.kafka.binder.jaas.options.password': 'secret',
      },
    })
    const answer = await opened.transform(record('x'), signal)
    const text = String((answer as OutgoingRecord).value?.[0])
    expect(text).toContain('"MINE":"kept"')
    expect(text).not.toContain('secret')
  })

  it('ends what a program that ended by itself left running, before it is started again', async () => {
    const transform = await open(
      program(
        'const left = require("child_process").spawn("sleep", ["300"], {stdio: ["ignore", "inherit", "ignore"]});' +
          ' if (r.text === "die") { console.error("left " + left.pid); process.exit(3); } left.kill(); console.log("{}")',
      ),
    )
    const said = vi.spyOn(silentLogger, 'info')
    await expect(transform.transform(record('die'), signal)).rejects.toMatchObject({
      code: 'PROCESSOR_CRASHED',
    })
    const pid = Number(/left (\d+)/.exec(said.mock.calls.map(([line]) => line).join(' '))?.[1])
    said.mockRestore()
    expect(pid).toBeGreaterThan(0)
    await eventually('it is gone', () => isOver(pid))
    expect(await transform.transform(record('live'), signal)).toMatchObject({value: [Buffer.from('live')]})
  })

  it.each([
    ['more lines than one', 'process.stdout.write("{}\\n{}\\n")'],
    ['a part of one more', 'process.stdout.write("{}\\n{")'],
    ['no JSON', 'console.log("Hello!")'],
  ])('fails the attempt, and uses nothing of the answer, when the program writes %s', async (_, answer) => {
    const transform = await open(program(`if (r.text === "fine") console.log("{}"); else ${answer}`))
    await expect(transform.transform(record('a'), signal)).rejects.toMatchObject({code: 'PROCESSING_FAILED'})
    expect(await transform.transform(record('fine'), signal)).toMatchObject({value: [Buffer.from('fine')]})
    expect(failures).toEqual([])
  })

  it('once gave a line that came too late to the next record: now it ends the run', async () => {
    const transform = await open(program('console.log("{}"); setTimeout(() => console.log("{}"), 40)'))
    await transform.transform(record('a', 7), signal)
    await eventually('it is told', () => failures.length > 0)
    expect(failures).toMatchObject([
      {code: 'PROGRAM_OUT_OF_STEP', endsRun: true, message: expect.stringContaining('in-0@7') as string},
    ])
    await expect(transform.transform(record('b'), signal)).rejects.toMatchObject({
      code: 'PROGRAM_OUT_OF_STEP',
    })
  })

  it('holds an answer that tells its offset against the record', async () => {
    const transform = await open(answering('({...r, offset: r.text === "late" ? r.offset - 1 : r.offset})'))
    expect(await transform.transform(record('x', 3), signal)).toMatchObject({value: [Buffer.from('x')]})
    await expect(transform.transform(record('late', 4), signal)).rejects.toMatchObject({
      code: 'PROGRAM_OUT_OF_STEP',
      message: expect.stringContaining('in-0@4') as string,
    })
    expect(failures).toHaveLength(1)
  })

  it('is ended when nobody waits for its answer any more, and started anew for the next record', async () => {
    const transform = await open(program('if (r.text !== "silent") console.log("{}")'))
    await expect(transform.transform(record('silent'), AbortSignal.timeout(50))).rejects.toThrow(/timeout/i)
    expect(await transform.transform(record('x'), signal)).toMatchObject({value: [Buffer.from('x')]})
  })

  it('has a program for each record that is transformed at once, and no more', async () => {
    const transform = (opened = await programTransform(
      program('setTimeout(() => console.log(JSON.stringify({text: String(process.pid)})), 20)'),
      {...surroundings, concurrency: 2},
    ))
    const asked = Array.from({length: 8}, async (_, i) => transform.transform(record('x', i), signal))
    const pids = (await Promise.all(asked)).map((answer) => String((answer as OutgoingRecord).value?.[0]))
    expect(new Set(pids).size).toBe(2)
  })

  it('is refused before anything is read when the program is not there', async () => {
    await expect(programTransform('no-such-program-here', surroundings)).rejects.toMatchObject({
      code: 'PLUGIN_UNLOADABLE',
    })
  })
})

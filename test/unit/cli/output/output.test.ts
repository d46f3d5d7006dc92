import {describe, expect, it} from 'vitest'
import {Output, type OutputSettings} from '../../../../src/cli/output/output.js'
import {redacting} from '../../../../src/cli/output/redact.js'
import {Secret} from '../../../../src/cli/settings/setting.js'
import {StreamtoolError} from '../../../../src/core/errors.js'
import type {UploadReport} from '../../../../src/core/report.js'

const TIME = '2026-01-02T03:04:05.678Z'
const REPORT: UploadReport = {
  schema: 1,
  command: 'upload',
  topic: 't',
  interrupted: false,
  files: {uploaded: 2, skipped: 0, failed: 0},
  bytes: 10,
  records: 2,
  seconds: 1,
  problems: [],
}
const SUMMARY = {headline: 'Uploaded 2 files', details: ['  one more thing']}

function outputWith(settings: Partial<OutputSettings> = {}, secrets: readonly unknown[] = []) {
  const written = {stdout: '', stderr: ''}
  const stream = (name: 'stdout' | 'stderr') => ({write: (text: string) => (written[name] += text)})
  const output = new Output(
    'upload',
    {json: false, events: false, progress: 'none', logLevel: 'info', logFormat: 'text', ...settings},
    redacting(secrets),
    {stdout: stream('stdout'), stderr: stream('stderr'), now: () => new Date(TIME)},
  )
  return {
    output,
    written,
    objects: () =>
      written.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
  }
}

const someError = () =>
  new StreamtoolError('BROKER_UNREACHABLE', 'cannot reach kafka', {suggestions: ['start it']})

describe('stdout', () => {
  it('is empty without --json and --events; the summary is words', async () => {
    const {output, written} = outputWith()
    output.reporter.event({event: 'started', command: 'upload', topic: 't'})
    await output.finish(REPORT, SUMMARY, true)
    expect(written).toEqual({
      stdout: '',
      stderr: `${TIME} Uploaded 2 files\n${TIME}   one more thing\n`,
    })
  })

  it('is one object with --json', async () => {
    const {output, objects} = outputWith({json: true})
    output.reporter.event({event: 'started', command: 'upload', topic: 't'})
    await output.finish(REPORT, SUMMARY, true)
    expect(objects()).toEqual([REPORT])
  })

  it('is one object a line with --events, each with event and time; the last carries the report with --json', async () => {
    for (const json of [false, true]) {
      const {output, objects} = outputWith({json, events: true})
      output.reporter.event({event: 'started', command: 'upload', topic: 't'})
      await output.finish(REPORT, SUMMARY, true)
      expect(objects()).toEqual([
        {event: 'started', time: TIME, command: 'upload', topic: 't'},
        {event: 'finished', time: TIME, ...(json ? {report: REPORT} : {})},
      ])
    }
  })

  it('is the error object with --json, and its event with --events', async () => {
    const error = {
      code: 'BROKER_UNREACHABLE',
      message: 'cannot reach kafka',
      exitCode: 3,
      suggestions: ['start it'],
    }
    const object = {schema: 1, command: 'upload', error}
    const json = outputWith({json: true})
    await json.output.fail(someError())
    expect(json.objects()).toEqual([object])
    const events = outputWith({events: true})
    await events.output.fail(someError())
    expect(events.objects()).toEqual([{event: 'finished', time: TIME, error}])
    const both = outputWith({json: true, events: true})
    await both.output.fail(someError())
    expect(both.objects()).toEqual([{event: 'finished', time: TIME, error, report: object}])
  })

  it('has one result, also when closing fails after the report', async () => {
    const {output, objects, written} = outputWith({json: true})
    await output.finish(REPORT, SUMMARY, true)
    await output.fail(someError())
    expect(objects()).toEqual([REPORT])
    expect(written.stderr).toContain('cannot reach kafka')
  })
})

describe('stderr', () => {
  it('is objects with --log-format json, the error too', async () => {
    const {output, written} = outputWith({logFormat: 'json'})
    output.logger.warn('careful', {partition: 3, reason: new Error('why')})
    await output.fail(someError())
    const lines = written.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(lines).toEqual([
      {time: TIME, level: 'warn', message: 'careful', partition: 3, reason: {name: 'Error', message: 'why'}},
      {
        time: TIME,
        level: 'error',
        message: 'cannot reach kafka',
        code: 'BROKER_UNREACHABLE',
        exitCode: 3,
        suggestions: ['start it'],
      },
    ])
  })

  it('leaves out what is below --log-level', async () => {
    const {output, written} = outputWith({logLevel: 'warn'})
    output.logger.info('no')
    output.logger.warn('yes')
    await output.finish(REPORT, SUMMARY, true)
    expect(written.stderr).toBe(`${TIME} warning: yes\n`)
  })

  it('has the stack of an error, and of its causes, only at debug', async () => {
    const error = new StreamtoolError('BUG', 'oops', {cause: new TypeError('deep')})
    const quiet = outputWith()
    await quiet.output.fail(error)
    expect(quiet.written.stderr).toBe('Error: oops (BUG)\n')
    const loud = outputWith({logLevel: 'debug'})
    await loud.output.fail(error)
    expect(loud.written.stderr).toContain('TypeError: deep')
    expect(loud.written.stderr).toContain('output.test.ts')
  })

  it('shows control characters from a topic instead of obeying them', () => {
    const {output, written} = outputWith()
    output.logger.info('file \u001b]0;owned\u0007\nnext', {path: 'a\u001b[2J'})
    expect(written.stderr).toBe(`${TIME} file \\x1b]0;owned\\x07\\x0anext path="a\\u001b[2J"\n`)
  })
})

describe('secrets', () => {
  it('are in no log, error or reason, whatever put them there', async () => {
    const secret = 'hunter2"x'
    for (const logFormat of ['text', 'json'] as const) {
      const {output, written} = outputWith({json: true, events: true, logFormat, logLevel: 'debug'}, [
        new Secret(secret),
      ])
      output.logger.error(`bad ${secret}`, {why: `the ${secret}`, deep: {er: secret}})
      output.reporter.event({event: 'file.failed', path: 'p', code: 'X', reason: `of ${secret}`})
      await output.fail(
        new StreamtoolError('BUG', `saw ${secret}`, {suggestions: [secret], cause: new Error(secret)}),
      )
      expect(written.stdout + written.stderr).not.toContain('hunter2')
      expect(written.stdout).toContain('saw ***')
    }
  })

  it('do not change paths in results, which are data', async () => {
    const {output, objects} = outputWith({events: true}, [new Secret('test')])
    output.reporter.event({event: 'file.failed', path: 'test/a', code: 'X', reason: 'r'})
    expect(objects()).toMatchObject([{path: 'test/a'}])
  })

  it('print as *** by themselves', () => {
    const secret = new Secret('hunter2')
    expect(`${String(secret)} ${JSON.stringify({secret})}`).toBe('*** {"secret":"***"}')
    expect(secret.reveal()).toBe('hunter2')
  })
})

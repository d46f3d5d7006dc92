/**
 * `streamtool/testing`: what authors of processors test with, in any test runner, without a broker. A processor is
 * checked, set up, given files and torn down by the same host that runs it in `streamtool process`.
 */
import {rmSync} from 'node:fs'
import {mkdir, mkdtemp, readFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {basename, join, resolve} from 'node:path'
import {asStreamtoolError, type StreamtoolError} from '../core/errors.js'
import {Semaphore} from '../core/flow/index.js'
import {withinLimits} from '../processors/within-limits.js'
import type {FileInfo, FlagDefinitions, OptionsOf, Processor, ResultRecord} from '../processors/contract.js'
import type {ProcessorHost} from '../processors/host.js'
import {createInProcessHost} from '../processors/in-process/index.js'
import {checkProcessor} from '../processors/load/check.js'
import {processClock} from '../processors/running/process-clock.js'
import {infoOf, stage, type TestMode} from './files.js'
import {valuesOf} from './options.js'
import {recordingLogger, type LogLine, RecordingSink} from './recording.js'

export type {LogLine, TestMode}

export interface TestOptions<Flags extends FlagDefinitions = FlagDefinitions> {
  /** Values of the processor's flags; the others have their defaults. */
  readonly options?: Partial<OptionsOf<Flags>>
  /** A temporary one, removed when the process ends, unless given. */
  readonly outputDir?: string
  /** Where the processor finds the content; `memory` unless given: then `localPath` is null. */
  readonly mode?: TestMode
  /** For each file; 1 unless given. There are no pauses between them. */
  readonly attempts?: number
  /** For each attempt. */
  readonly timeoutMs?: number
  /** Files at once; 1 unless given. */
  readonly concurrency?: number
  /** `test` unless given. */
  readonly topic?: string
  /** As given by the uploader, for all files. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** By path on the topic; or paths of local files, which have their base name on the topic. */
export type TestFiles = Readonly<Record<string, string | Buffer>> | readonly string[]

export interface TestedFile {
  readonly path: string
  readonly outcome: 'processed' | 'failed'
  /** What `process` returned. */
  readonly returned: unknown
  /** Of the last attempt, as a user of streamtool would read it; null when it was processed. */
  readonly error: StreamtoolError | null
  readonly attempts: number
  readonly produced: readonly ResultRecord[]
}

export interface TestRun {
  /** In the order given. */
  readonly files: readonly TestedFile[]
  /** Of all files, in the order of sending. */
  readonly produced: readonly ResultRecord[]
  readonly log: readonly LogLine[]
  readonly outputDir: string
}

/** @throws PLUGIN_UNLOADABLE, PLUGIN_SETUP_FAILED, PLUGIN_LATE_ERROR; failures of single files are in the result */
export async function testProcessor<Flags extends FlagDefinitions>(
  processor: Processor<Flags>,
  files: TestFiles,
  options: TestOptions<Flags> = {},
): Promise<TestRun> {
  const {concurrency = 1} = options
  const tested = processor as unknown as Processor
  checkProcessor('under test', tested, {member: 'process'})
  const outputDir = await directoryFor(options.outputDir)
  const sink = new RecordingSink()
  const {logger, lines} = recordingLogger()
  const run = new AbortController()
  const host = createInProcessHost({
    processor: tested,
    options: valuesOf(tested, options.options ?? {}),
    outputDir,
    sink,
    logger,
    clock: processClock,
    signal: run.signal,
    watchdog: null,
  })
  const slots = new Semaphore(concurrency)
  try {
    await host.start()
    const contents = await contentsOf(files)
    const results = await Promise.all(
      contents.map(([path, content]) => slots.run(() => testFile(host, sink, path, content, options))),
    )
    return {files: results, produced: sink.all, log: lines, outputDir}
  } finally {
    run.abort(new Error('The run has ended.'))
    await host.close()
  }
}

async function testFile(
  host: ProcessorHost,
  sink: RecordingSink,
  path: string,
  content: Buffer,
  {attempts = 1, timeoutMs, mode = 'memory', topic = 'test', metadata = {}}: TestOptions,
): Promise<TestedFile> {
  const staged = await stage(path, content, mode)
  const stop = new AbortController()
  const attemptOn = (info: FileInfo) =>
    withinLimits(path, (signal) => host.process(info, staged, signal), {
      timeoutMs: timeoutMs ?? null,
      stop: stop.signal,
      clock: processClock,
    })
  try {
    for (let attempt = 1; ; attempt += 1) {
      const info = infoOf(path, content, {topic, metadata, attempt})
      try {
        const returned = await attemptOn(info)
        return {path, outcome: 'processed', returned, error: null, attempts: attempt, produced: sink.of(path)}
      } catch (thrown) {
        const error = asStreamtoolError(thrown)
        if (error.endsRun) throw error
        if (attempt < attempts) continue
        await host.failed(info, error, stop.signal)
        return {
          path,
          outcome: 'failed',
          returned: undefined,
          error,
          attempts: attempt,
          produced: sink.of(path),
        }
      }
    }
  } finally {
    await staged.release()
  }
}

async function contentsOf(files: TestFiles): Promise<[path: string, content: Buffer][]> {
  if (isList(files))
    return Promise.all(files.map(async (path) => [basename(path), await readFile(path)] as [string, Buffer]))
  return Object.entries(files).map(([path, content]) => [path, Buffer.from(content as string)])
}

const isList = (files: TestFiles): files is readonly string[] => Array.isArray(files)

async function directoryFor(given: string | undefined): Promise<string> {
  if (given !== undefined) {
    await mkdir(given, {recursive: true})
    return resolve(given)
  }
  const made = await mkdtemp(join(tmpdir(), 'streamtool-testing-'))
  process.once('exit', () => {
    rmSync(made, {recursive: true, force: true})
  })
  return made
}

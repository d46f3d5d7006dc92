/** What a processor's host is given in tests, and what became of it. */
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {systemClock} from '../../src/adapters/system/clock.js'
import {StreamtoolError} from '../../src/core/errors.js'
import type {FileInfo, ResultRecord} from '../../src/processors/contract.js'
import {createIsolatedHost} from '../../src/processors/isolated/index.js'
import {createInProcessHost} from '../../src/processors/in-process/index.js'
import {loadProcessor} from '../../src/processors/load/index.js'
import type {ProcessorHost} from '../../src/processors/host.js'
import type {ResultSink} from '../../src/processors/results.js'
import {type RecordedLog, recordedLog} from './quiet.js'

export interface HostUnderTest {
  readonly host: ProcessorHost
  readonly outputDir: string
  readonly log: RecordedLog
  readonly sink: RecordedSink
  /** Ends the run. */
  readonly run: AbortController
  /** What the processor wrote down, line by line. */
  notes(): Promise<string[]>
}

export interface RecordedSink extends ResultSink {
  readonly produced: {record: ResultRecord; path: string}[]
  readonly returnedValues: unknown[]
}

export function recordedSink(): RecordedSink {
  const produced: RecordedSink['produced'] = []
  const returnedValues: unknown[] = []
  return {
    produced,
    returnedValues,
    async produce(record: ResultRecord, {path}: FileInfo) {
      // As long as an acknowledgement takes.
      await systemClock.sleep(20)
      if (record.value === 'refuse me') throw new StreamtoolError('MESSAGE_TOO_LARGE', 'It was refused.')
      produced.push({record, path})
    },
    async returned(value) {
      returnedValues.push(value)
    },
  }
}

export interface HostChoices {
  readonly outputDir: string
  /** Path of the plugin. */
  readonly plugin?: string
  readonly options?: Readonly<Record<string, unknown>>
  readonly graceMs?: number
  readonly concurrency?: number
  readonly heapMegabytes?: number
}

export const OBEDIENT = fileURLToPath(new URL('../fixtures/processors/obedient.mjs', import.meta.url))
const CHILD = new URL('../../dist/processors/isolated/child.js', import.meta.url)

function surroundings({outputDir, graceMs = 300, options = {threshold: 5}}: HostChoices) {
  const [log, sink, run] = [recordedLog(), recordedSink(), new AbortController()]
  const given = {outputDir, options, graceMs, logger: log, sink, clock: systemClock, signal: run.signal}
  const notes = async () => {
    const text = await readFile(join(outputDir, 'notes.txt'), 'utf8').catch(() => '')
    return text.split('\n').filter((line) => line !== '')
  }
  return {given, log, sink, run, notes, outputDir}
}

export async function inProcess(choices: HostChoices): Promise<HostUnderTest> {
  const {given, ...rest} = surroundings(choices)
  const processor = await loadProcessor(choices.plugin ?? OBEDIENT, {from: choices.outputDir})
  return {...rest, host: createInProcessHost({...given, processor, watchdog: null})}
}

export async function isolated(choices: HostChoices): Promise<HostUnderTest> {
  const {given, ...rest} = surroundings(choices)
  const {plugin = OBEDIENT, outputDir, concurrency = 4, heapMegabytes} = choices
  const host = createIsolatedHost({
    ...given,
    name: 'obedient',
    plugin,
    from: outputDir,
    concurrency,
    entry: CHILD,
    ...(heapMegabytes === undefined ? {} : {heapMegabytes}),
  })
  return {...rest, host}
}

/**
 * The forked process: loads the plugin, and does what its parent asks (calls.ts). It has nothing of its own to live
 * for: when the channel closes it ends, and with it all that the plugin has started; a thread sees to that also when the
 * plugin blocks the event loop (orphan-watch.ts).
 */
import {createReadStream} from 'node:fs'
import {Worker} from 'node:worker_threads'
import type {Logger, StagedFile} from '../../core/ports/index.js'
import {BUILTIN_PROCESSORS} from '../builtin/index.js'
import type {ProcessorLog, ResultRecord} from '../contract.js'
import {loadProcessor} from '../load/index.js'
import type {Lock} from '../running/lock.js'
import {processClock} from '../running/process-clock.js'
import {ProcessorRunner} from '../running/runner.js'
import type {ChildCalls, ParentCalls, ProcessArgs} from './calls.js'
import {killOwnGroup} from '../process-group.js'
import {packReturned} from './returned.js'
import {type Calls, type Message, Rpc} from './rpc.js'
import {fromWire} from './wire-error.js'

/** The parent knows how long it waits, and then it kills. */
const NEVER_MS = 2 ** 31 - 1
const PIECE_BYTES = 1024 * 1024

const run = new AbortController()
let runner: ProcessorRunner | null = null

const ours: ChildCalls = {
  async start({plugin, from, also, reservedFlags, options, outputDir}) {
    const processor = await loadProcessor(plugin, {
      from,
      also,
      reservedFlags,
      builtins: BUILTIN_PROCESSORS,
      member: 'process',
    })
    runner = new ProcessorRunner({
      processor,
      options,
      outputDir,
      logger,
      sink: {
        produce: (record, _, signal) => parent.call('produce', sendable(record), signal),
        returned: (value, _, signal) => parent.call('returned', packReturned(value), signal),
      },
      lock,
      clock: processClock,
      graceMs: NEVER_MS,
      owner: ours,
      signal: run.signal,
    })
    await runner.setup()
  },
  async process(args, signal) {
    await started().process(args.file, contentOf(args), signal)
  },
  failed: ({file, error}, signal) => started().failed(file, fromWire(error), signal),
  mismatched: ({file}, signal) => started().mismatched(file, signal),
  async stop(reason) {
    run.abort(fromWire(reason))
  },
  async close() {
    await runner?.teardown()
    setImmediate(() => process.stdout.write('', () => process.stderr.write('', () => process.exit(0))))
  },
}

const parent = new Rpc<Calls & ParentCalls>(
  (message) => {
    // A channel that has closed ends this process anyway.
    process.send?.(message, undefined, undefined, () => undefined)
  },
  ours as unknown as Calls,
)

const lock: Lock = {
  async acquire(signal) {
    const held = await parent.call('acquire', null, signal)
    return () => void parent.call('release', held).catch(() => undefined)
  },
}

const at =
  (level: keyof ProcessorLog) =>
  (message: string, facts: Readonly<Record<string, unknown>> = {}) =>
    void parent.call('log', {level, message, facts: sendableFacts(facts)}).catch(() => undefined)
const logger: Logger = {debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error')}

function started(): ProcessorRunner {
  if (runner === null) throw new Error('not started')
  return runner
}

function contentOf({sizeBytes, localPath}: ProcessArgs): StagedFile {
  return {
    sizeBytes,
    localPath,
    content: null,
    read: localPath === null ? () => fromParent() : (signal) => fromFile(localPath, signal),
    release: async () => undefined,
  }
}

async function* fromParent(): AsyncGenerator<Buffer> {
  const reading = await parent.call('open', null)
  try {
    for (let piece = await parent.call('next', reading); piece !== null;) {
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      piece = await parent.call('next', reading)
    }
  } finally {
    await parent.call('end', reading)
  }
}

const fromFile = (path: string, signal?: AbortSignal): AsyncIterable<Buffer> =>
  createReadStream(path, {highWaterMark: PIECE_BYTES, signal})

/** What cannot be cloned can still be JSON, and is to be JSON at last. */
function sendable(record: ResultRecord): ResultRecord {
  const {value} = record
  const isPlain = value === null || typeof value !== 'object' || Buffer.isBuffer(value)
  return isPlain ? record : {...record, value: JSON.stringify(value)}
}

function sendableFacts(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, sendableFact(value)]))
}

function sendableFact(value: unknown): unknown {
  if (value instanceof Error) return value.message
  try {
    return structuredClone(value)
  } catch {
    return String(value)
  }
}

process.on('message', (message: Message) => {
  parent.received(message)
})
process.on('disconnect', killOwnGroup)
new Worker(new URL('./orphan-watch.js', import.meta.url), {workerData: {parentPid: process.ppid}}).unref()

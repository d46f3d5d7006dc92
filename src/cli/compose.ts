/**
 * The one place where ports meet their adapters. Everything heavy is imported inside the functions, so that `--help`
 * loads none of it.
 */
import {randomBytes} from 'node:crypto'
import {mkdtemp, rm, stat} from 'node:fs/promises'
import {homedir, hostname, tmpdir} from 'node:os'
import {join} from 'node:path'
import {addAbortSignal} from 'node:stream'
import {systemClock} from '../adapters/system/clock.js'
import type {HeldInstanceId} from '../adapters/state/instance-id.js'
import type {KafkaClient} from '../adapters/kafka/index.js'
import {STATE_DIRECTORY} from '../core/chunk/paths.js'
import {StreamtoolError} from '../core/errors.js'
import type {FileSource, Logger, SpillStore, StartWatching, StepObserver} from '../core/ports/index.js'
import type {Sandbox, SandboxOptions} from '../sandbox/index.js'
import type {Delivery} from './delivery.js'
import type {Connection} from './kafka-connection.js'

export {systemClock as clock}

export const startWatching: StartWatching = async (options, control) =>
  (await import('../adapters/http/index.js')).startWatching(options, control)

export type {KafkaClient}

export async function openKafka(connection: Connection, logger: Logger): Promise<KafkaClient> {
  const {createKafkaClient} = await import('../adapters/kafka/index.js')
  return createKafkaClient(connection, {logger})
}

export interface InputOptions {
  /** As the user named them; `-` is standard input. */
  readonly inputs: readonly string[]
  readonly pathPrefix: string | undefined
  /** Whether a file is to be sent, by its path on the topic; null when all are. */
  readonly wants: ((path: string) => boolean) | null
  /** The path of standard input on the topic, when that is an input. */
  readonly stdinName: string | null
  /** Ends reading standard input, which may never end by itself. */
  readonly signal: AbortSignal
}

/** Local files to be sent. */
export async function openInputs(options: InputOptions): Promise<FileSource & {close(): Promise<void>}> {
  const {createFileSource} = await import('../adapters/files/file-source.js')
  const {inputs, pathPrefix, wants, stdinName, signal} = options
  const source = createFileSource({
    inputs,
    ...(pathPrefix === undefined ? {} : {pathPrefix}),
    ...(wants === null ? {} : {exclude: (path, kind) => kind === 'file' && !wants(path)}),
    ...(stdinName === null
      ? {}
      : {stdin: {stream: addAbortSignal(signal, process.stdin), name: stdinName, spoolDir: tmpdir()}}),
  })
  return {
    async *list() {
      try {
        yield* source.list()
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
    close: () => source.close(),
  }
}

export interface DirectoryOptions {
  readonly directory: string
  readonly concurrency: number
  readonly onConflict?: 'overwrite' | 'keep' | 'rename' | 'fail'
  readonly logger: Logger
  /** Ends waiting for the storage. */
  readonly signal: AbortSignal
  /** Is told what is the matter with the storage, and null when that is over. */
  readonly onOutage?: (reason: string | null) => void
}

/** A directory that files are written to, with its group and its place for chunks that came early. */
export async function openDirectory({directory, ...options}: DirectoryOptions): Promise<Delivery> {
  const [{createDirectoryDestination}, {createSpillStore}] = await Promise.all([
    import('../adapters/files/directory-destination.js'),
    import('../adapters/files/spill-store.js'),
  ])
  await requireDirectory(directory)
  const destination = await createDirectoryDestination({
    ...options,
    root: directory,
    clock: systemClock,
    steps: stepObserver(),
  })
  const {whenStorageAllows} = destination
  const {signal} = options
  const spill = await createSpillStore(spillIn(directory), {whenStorageAllows, signal}).catch(
    async (thrown: unknown) => {
      await destination.close()
      throw thrown
    },
  )
  return {
    destination,
    spill,
    defaultGroup: () => groupKeptIn(directory),
    async close() {
      await destination.close()
      await spill.close()
    },
  }
}

/** Where chunks wait for their turn, on the disk of the files that they are for. */
export const spillIn = (directory: string) => join(directory, STATE_DIRECTORY, 'spill')

/** The group that belongs to an output directory, and goes where that goes. */
export async function groupKeptIn(directory: string): Promise<string> {
  const {readOrCreateGroupId} = await import('../adapters/state/group-id.js')
  return readOrCreateGroupId(directory, () => `streamtool-${randomBytes(8).toString('hex')}`)
}

/** What is not there yet is made. */
export async function requireDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => null)
  if (found === null || found.isDirectory()) return
  throw new StreamtoolError('SETTING_INVALID', `The output ${directory} is not a directory.`, {
    facts: {output: directory},
    suggestions: ['Name a directory with --output; one that does not exist is made.'],
  })
}

export type {Sandbox}

/** The loopback broker and bucket for trying out. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const {startSandbox} = await import('../sandbox/index.js')
  return startSandbox(options)
}

/** What `--plugin` finds without a file or package. */
export async function builtinProcessorNames(): Promise<readonly string[]> {
  const {BUILTIN_PROCESSORS} = await import('../processors/builtin/index.js')
  return [...BUILTIN_PROCESSORS.keys()]
}

export async function writeFromTemplate(
  template: string,
  target: string,
  names: Readonly<Record<string, string>>,
): Promise<string[]> {
  const adapter = await import('../adapters/files/package-template.js')
  return adapter.writeFromTemplate(template, target, names)
}

/** A directory of our own, for as long as it is needed. */
export async function temporaryDirectory(purpose: string): Promise<{path: string; remove(): Promise<void>}> {
  const path = await mkdtemp(join(tmpdir(), `streamtool-${purpose}-`))
  return {path, remove: () => rm(path, {recursive: true, force: true})}
}

/** Where chunks wait for their turn when files go to no local directory; gone when closed. */
export async function openTemporarySpill(): Promise<SpillStore & {close(): Promise<void>}> {
  const {createSpillStore} = await import('../adapters/files/spill-store.js')
  const directory = await temporaryDirectory('spill')
  const spill = await createSpillStore(directory.path)
  return {
    create: (signal) => spill.create(signal),
    async close() {
      await spill.close()
      await directory.remove()
    },
  }
}

export function holdInstanceId(options: {
  groupId: string
  explicit: string | undefined
  stateDir: string | undefined
}): Promise<HeldInstanceId> {
  const {groupId, explicit, stateDir = defaultStateDir()} = options
  return import('../adapters/state/instance-id.js').then(({acquireInstanceId}) =>
    acquireInstanceId({
      groupId,
      stateDir,
      hostName: hostname(),
      ...(explicit === undefined ? {} : {explicit}),
    }),
  )
}

/** What belongs to this host and user, and may be lost without harm. */
export function defaultStateDir(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'streamtool')
}

/** Crash tests register an observer before streamtool starts; everybody else has none. */
export function stepObserver(): StepObserver {
  const registered = (globalThis as Record<symbol, unknown>)[STEP_OBSERVER]
  return (registered as StepObserver | undefined) ?? {reached: () => undefined}
}
const STEP_OBSERVER = Symbol.for('streamtool.step-observer')

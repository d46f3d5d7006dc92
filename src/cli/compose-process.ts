/** Where `process` is put together: the host of the processor, and what surrounds it. */
import {join} from 'node:path'
import {systemClock} from '../adapters/system/clock.js'
import {STATE_DIRECTORY} from '../core/chunk/paths.js'
import {StreamtoolError} from '../core/errors.js'
import type {Destination, Logger, StepObserver} from '../core/ports/index.js'
import type {ProcessorHost} from '../processors/host.js'
import type {ResultSink} from '../processors/results.js'
import {groupKeptIn, requireDirectory, spillIn, stepObserver} from './compose.js'
import type {Delivery} from './delivery.js'
import type {DeliverySurroundings} from './file-consuming-command.js'
import type {ProcessPlan, ProcessValues} from './process-plan.js'

/** Of `--memory`, for files that are kept in memory while they are worked on. */
const STAGING_SHARE = 1 / 4
/** Files that wait for their next attempt take no place of `--concurrency`. */
const PLACES_TO_WAIT = 30

/** @throws PLUGIN_SETUP_FAILED, STORAGE_*, and what the result topic is refused with */
export async function openProcessing(
  {worker, outputDir}: ProcessPlan,
  values: ProcessValues,
  surroundings: DeliverySurroundings,
): Promise<Delivery> {
  const [
    {OutputPlace},
    {createFileStaging},
    {createProcessedIndex},
    {openAttemptJournal},
    {createSpillStore},
    {createProcessorDestination},
  ] = await Promise.all([
    import('../adapters/files/output-place.js'),
    import('../adapters/files/staging/index.js'),
    import('../adapters/files/processed-index.js'),
    import('../adapters/files/attempt-journal.js'),
    import('../adapters/files/spill-store.js'),
    import('../processors/destination.js'),
  ])
  const {logger, signal} = surroundings
  const steps = stepObserver()
  const memoryBytes = values.memory * STAGING_SHARE
  const finishing = values.concurrency + PLACES_TO_WAIT
  const opened = new Opened()
  try {
    await requireDirectory(outputDir)
    const place = opened.add(
      await OutputPlace.open({
        root: outputDir,
        index: 'processed',
        concurrency: finishing,
        clock: systemClock,
        logger,
        onOutage: surroundings.onOutage,
      }),
    )
    const {whenStorageAllows} = place
    const spill = opened.add(await createSpillStore(spillIn(outputDir), {whenStorageAllows, signal}))
    const journal = await openAttemptJournal(join(outputDir, STATE_DIRECTORY, 'attempts'), {
      whenStorageAllows,
      signal,
      nowMs: systemClock.nowMs(),
    })
    const {sink} = opened.add(await openSink(values, surroundings, steps))
    // While files are being finished after a stop, the run goes on.
    const ended = new AbortController()
    const endNow = (): void => ended.abort(signal.reason)
    signal.addEventListener('abort', endNow, {once: true})
    const plan = {worker, outputDir}
    const host = opened.add(await openHost(plan, values, sink, {...surroundings, signal: ended.signal}))
    opened.add({close: async () => ended.abort(new StreamtoolError('INTERRUPTED', 'The run has ended.'))})
    const processing = opened.add(
      createProcessorDestination({
        host,
        staging: createFileStaging(place, {...values, memoryBytes, steps, logger, signal}),
        processed: createProcessedIndex(place, {...values, signal}),
        journal,
        concurrency: values.concurrency,
        attempts: values.attempts,
        attemptDelayMs: values.attemptDelay,
        timeoutMs: values.timeout ?? null,
        clock: systemClock,
        logger,
        steps,
        random: Math.random,
      }),
    )
    const group = await groupKeptIn(outputDir)
    const destination = await exported(processing, values.group ?? group, values, logger)
    opened.add(destination)
    await host.start()
    signal.removeEventListener('abort', endNow)
    logger.info(`Processor: ${host.name}; results and state in ${outputDir}`)
    return {
      destination,
      spill,
      memoryBytes,
      finishing,
      defaultGroup: async () => group,
      close: () => opened.close(),
    }
  } catch (thrown) {
    await opened.close()
    throw thrown
  }
}

/** Also told to the CSV files of `--registry`, when they are wanted. */
async function exported(
  destination: Destination,
  group: string,
  {topic, resultTopic, registry: directory}: ProcessValues,
  logger: Logger,
): Promise<Destination> {
  if (directory === undefined) return destination
  const [{openRegistry, registryFileNames}, {openTableFile}] = await Promise.all([
    import('../processors/registry/index.js'),
    import('../adapters/files/table-file.js'),
  ])
  const names = registryFileNames({topic, group, resultTopic: resultTopic ?? null})
  const registry = await openRegistry({
    inProgress: await openTableFile(join(directory, names.inProgress)),
    processed: await openTableFile(join(directory, names.processed)),
    isReproducer: resultTopic !== undefined,
    clock: systemClock,
    logger,
  })
  return registry.watch(destination)
}

function openHost(
  {worker, outputDir}: ProcessPlan,
  {resultTopic, concurrency}: ProcessValues,
  sink: ResultSink,
  {logger, signal, fail}: DeliverySurroundings,
): Promise<ProcessorHost> {
  const surroundings = {outputDir, sink, logger, clock: systemClock, signal}
  if (worker.kind === 'exec') {
    const results = resultTopic === undefined ? null : sink
    return import('../processors/exec/index.js').then(({createExecHost}) =>
      createExecHost({...surroundings, command: worker.command, results, environment: process.env}),
    )
  }
  const {processor, origin, options, isolate} = worker
  if (isolate === 'none')
    return import('../processors/in-process/index.js').then(({createInProcessHost}) =>
      createInProcessHost({...surroundings, processor, options, onBroken: fail}),
    )
  return import('../processors/isolated/index.js').then(({createIsolatedHost}) =>
    createIsolatedHost({...surroundings, ...origin, name: processor.name, options, concurrency}),
  )
}

async function openSink(
  {resultTopic}: ProcessValues,
  {kafka}: DeliverySurroundings,
  steps: StepObserver,
): Promise<{sink: ResultSink; close(): Promise<void>}> {
  const {createResults} = await import('../processors/results.js')
  const [admin, producer] = [kafka.admin(), kafka.producer()]
  const sink = createResults({topic: resultTopic ?? null, admin, producer, steps})
  const close = async (): Promise<void> => {
    sink.close()
    await producer.close()
    await admin.close()
  }
  try {
    await sink.checkTopic()
  } catch (thrown) {
    await close()
    throw thrown
  }
  return {sink, close}
}

/** Closes what was opened, the last first. */
class Opened {
  private readonly all: {close(): Promise<void>}[] = []

  add<T extends {close(): Promise<void>}>(opened: T): T {
    this.all.push(opened)
    return opened
  }

  async close(): Promise<void> {
    for (const opened of this.all.splice(0).reverse()) await opened.close()
  }
}

/** What `process` tells others of its files: results to a topic, and the registry. */
import {join} from 'node:path'
import {systemClock} from '../adapters/system/clock.js'
import type {Logger} from '../core/ports/index.js'
import type {Registry, RegistryNames} from '../processors/registry/index.js'
import type {ResultSink} from '../processors/results.js'
import {stepObserver, type KafkaClient} from './compose.js'

/**
 * @param topic --result-topic
 * @throws TOPIC_UNKNOWN, NOT_AUTHORISED, … when the result topic cannot be used
 */
export async function openResults(
  topic: string | undefined,
  kafka: KafkaClient,
): Promise<ResultSink & {close(): Promise<void>}> {
  const {createResults} = await import('../processors/results.js')
  const [admin, producer] = [kafka.admin(), kafka.producer()]
  const results = createResults({topic: topic ?? null, admin, producer, steps: stepObserver()})
  const close = async (): Promise<void> => {
    results.close()
    await Promise.all([admin.close(), producer.close()])
  }
  try {
    await results.checkTopic()
  } catch (thrown) {
    await close()
    throw thrown
  }
  return {
    produce: (record, file, signal) => results.produce(record, file, signal),
    returned: (value, file, signal) => results.returned(value, file, signal),
    close,
  }
}

/** @param directory --registry. @throws STORAGE_FORBIDDEN, STORAGE_FULL, … */
export async function openRegistryIn(
  directory: string,
  names: RegistryNames,
  logger: Logger,
): Promise<Registry> {
  const [{openRegistry, registryFileNames}, {openTableFile}] = await Promise.all([
    import('../processors/registry/index.js'),
    import('../adapters/files/table-file.js'),
  ])
  const {inProgress, processed} = registryFileNames(names)
  return openRegistry({
    inProgress: await openTableFile(join(directory, inProgress)),
    processed: await openTableFile(join(directory, processed)),
    isReproducer: names.resultTopic !== null,
    clock: systemClock,
    logger,
  })
}

/**
 * What a processor produces, on its way to a topic. Results of many files share record batches, one batch a partition;
 * each `produce` waits for its own acknowledgement, and a file counts as done only after that.
 *
 * A record goes to the partition of its key, as Kafka's own partitioner would place it; one without a key to the
 * partition of its file's path. A result may be on the topic more than once, as a file may be processed more than once.
 */
import {setMaxListeners} from 'node:events'
import {murmur2} from '../core/chunk/partitioning.js'
import {partitionForPath, RECORD_BATCH_HEADER_BYTES, recordBytesUpperBound} from '../core/chunk/index.js'
import {StreamtoolError} from '../core/errors.js'
import {abortable, Batcher} from '../core/flow/index.js'
import type {OutgoingRecord, RecordProducer, StepObserver, TopicAdmin} from '../core/ports/index.js'
import type {FileInfo, ResultRecord} from './contract.js'
import {encodeResult, returnedKey} from './result-record.js'

/** Of a topic that does not say what it takes; Kafka's default. */
const DEFAULT_BATCH_BYTES = 1024 * 1024
/** Produced and not acknowledged, for each topic. */
const IN_FLIGHT_BYTES = 16 * 1024 * 1024

/** Where records that a processor produces go. */
export interface ResultSink {
  /**
   * Resolves when the record is acknowledged.
   * @param file whose result it is: named in errors; its path places a record that has no key
   * @throws PROCESSING_FAILED when the record itself cannot be sent; SETTING_MISSING when it has no topic; what the
   * producer throws; the signal's reason
   */
  produce(record: ResultRecord, file: FileInfo, signal: AbortSignal): Promise<void>
  /**
   * What `process` returned: an object is sent to the result topic as JSON, a Buffer as it is, with the key of
   * OpenMSIStream's reproducers. The rest is no result; without a result topic nothing is.
   */
  returned(value: unknown, file: FileInfo, signal: AbortSignal): Promise<void>
}

export interface Results extends ResultSink {
  /** Looks for the result topic, so that a wrong name is known before anything is consumed. @throws TOPIC_UNKNOWN, … */
  checkTopic(): Promise<void>
  /** Ends what is still being sent. */
  close(): void
}

export interface ResultsOptions {
  /** --result-topic */
  readonly topic: string | null
  readonly admin: Pick<TopicAdmin, 'describeTopic'>
  readonly producer: RecordProducer
  readonly steps: StepObserver
}

interface Target {
  readonly topic: string
  readonly partitionCount: number
  readonly maxMessageBytes: number | null
  readonly batcher: Batcher
}

export function createResults(options: ResultsOptions): Results {
  const {topic: resultTopic, admin, producer, steps} = options
  const closing = new AbortController()
  const targets = new Map<string, Promise<Target>>()
  setMaxListeners(0, closing.signal)

  const open = async (topic: string): Promise<Target> => {
    const {partitionCount, maxMessageBytes} = await admin.describeTopic(topic, {mayCreate: true})
    const batcher = new Batcher({
      topic,
      producer,
      maxBatchBytes: Math.min(maxMessageBytes ?? DEFAULT_BATCH_BYTES, DEFAULT_BATCH_BYTES),
      inFlightBytes: IN_FLIGHT_BYTES,
      steps,
      signal: closing.signal,
    })
    return {topic, partitionCount, maxMessageBytes, batcher}
  }
  const target = async (topic: string): Promise<Target> => {
    const opened = targets.get(topic) ?? open(topic)
    targets.set(topic, opened)
    try {
      return await opened
    } catch (thrown) {
      targets.delete(topic)
      throw thrown
    }
  }

  async function deliver({topic, partitionCount, batcher}: Target, record: OutgoingRecord, path: string) {
    const partition = partitionFor(record.key, path, partitionCount)
    try {
      const {acknowledged} = await batcher.add(partition, record)
      await acknowledged
    } catch (thrown) {
      if (codeOf(thrown) !== 'MESSAGE_TOO_LARGE') throw thrown
      // Perhaps only together with others, on a topic that does not say what it takes.
      await producer.send({topic, partition, records: [record]}, closing.signal)
    }
  }

  async function send(topic: string, record: OutgoingRecord, file: FileInfo, signal: AbortSignal) {
    // A processor produces as many at once as it likes.
    setMaxListeners(0, signal)
    try {
      const to = await abortable(target(topic), signal)
      refuseTooLarge(record, to)
      await abortable(deliver(to, record, file.path), signal)
    } catch (thrown) {
      signal.throwIfAborted()
      // It may have been made anew, with other partitions.
      targets.delete(topic)
      throw notSent(topic, file, thrown)
    }
  }

  return {
    async produce(record, file, signal) {
      const topic = record.topic ?? resultTopic
      if (topic === null) throw noTopic(file)
      await send(topic, encoded(record, file), file, signal)
    },
    async returned(value, file, signal) {
      if (resultTopic === null || typeof value !== 'object' || value === null) return
      await send(resultTopic, encoded({key: returnedKey(file), value}, file), file, signal)
    },
    async checkTopic() {
      if (resultTopic !== null) await target(resultTopic)
    },
    close: () => closing.abort(new StreamtoolError('INTERRUPTED', 'The run ended before a result was sent.')),
  }
}

function partitionFor(key: Buffer | null, path: string, partitionCount: number): number {
  return key === null ? partitionForPath(path, partitionCount) : (murmur2(key) & 0x7fffffff) % partitionCount
}

function encoded(record: ResultRecord, {path}: FileInfo): OutgoingRecord {
  try {
    return encodeResult(record)
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw new StreamtoolError('PROCESSING_FAILED', `A result of ${path} cannot be sent: ${why}.`, {
      facts: {path},
      cause: thrown,
    })
  }
}

function refuseTooLarge(record: OutgoingRecord, {topic, maxMessageBytes}: Target): void {
  const bytes = recordBytesUpperBound(record) + RECORD_BATCH_HEADER_BYTES
  if (maxMessageBytes === null || bytes <= maxMessageBytes) return
  throw new StreamtoolError(
    'MESSAGE_TOO_LARGE',
    `it needs ${bytes} bytes, and the topic takes ${maxMessageBytes} (max.message.bytes)`,
    {
      facts: {topic, bytes, limit: maxMessageBytes},
      suggestions: [
        'Write large results to the output directory, and send where they are.',
        `Raise max.message.bytes of ${topic}.`,
      ],
    },
  )
}

/** Of what is too large the file is to blame; of the rest the topic or the broker. */
function notSent(topic: string, {path}: FileInfo, thrown: unknown): unknown {
  if (!(thrown instanceof StreamtoolError)) return thrown
  return new StreamtoolError(
    thrown.code === 'MESSAGE_TOO_LARGE' ? 'PROCESSING_FAILED' : thrown.code,
    `A result of ${path} could not be sent to ${topic}: ${thrown.message}`,
    {facts: {...thrown.facts, path, topic}, suggestions: thrown.suggestions, cause: thrown},
  )
}

function noTopic({path}: FileInfo): StreamtoolError {
  return new StreamtoolError('SETTING_MISSING', `There is no topic that a result of ${path} could go to.`, {
    facts: {setting: 'result-topic', path},
    suggestions: ['Name one with --result-topic, or let the processor name the topic of each record.'],
  })
}

const codeOf = (thrown: unknown): string | null => (thrown instanceof StreamtoolError ? thrown.code : null)

/** What a delivery needs around it, in memory, with the faults that tests want. */
import {createHash} from 'node:crypto'
import {createMemoryKafka, type MemoryKafka} from '../../src/adapters/memory/kafka/index.js'
import type {
  Clock,
  Destination,
  FileWriter,
  GenerationOrder,
  IncomingFile,
  Logger,
  SpillStore,
} from '../../src/core/ports/index.js'
import {compareGenerations} from '../../src/core/reassembly/index.js'
import {deliverFiles, type DeliverFilesOptions} from '../../src/pipelines/deliver-files.js'
import type {PipelineEvent, Reporter} from '../../src/core/report.js'

export const realClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error)
        return
      }
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal?.reason as Error)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', onAbort, {once: true})
    }),
}

export const silentLogger: Logger = {debug: ignore, info: ignore, warn: ignore, error: ignore}

export class RecordingReporter implements Reporter {
  readonly events: PipelineEvent[] = []
  event(event: PipelineEvent): void {
    this.events.push(event)
  }
  watch(): void {
    // Nobody looks.
  }
  paths(name: PipelineEvent['event']): string[] {
    return this.events.flatMap((event) => {
      const {event: is, path} = event as {event: string; path?: string}
      return is === name && path !== undefined ? [path] : []
    })
  }
}

/** A directory that outlives the processes that write to it. */
export class SharedStore {
  readonly files = new Map<string, {content: Buffer; order: GenerationOrder}>()
  /** Every file that became visible, in order. */
  readonly deliveries: string[] = []

  content(path: string): string | undefined {
    return this.files.get(path)?.content.toString('latin1')
  }
}

/** A process's way to the store. Once killed nothing of it takes effect any more, and nothing fails either. */
export class StoreDestination implements Destination {
  killed = false
  steps = 0
  onStep: (step: number) => void = ignore
  failOpen: (file: IncomingFile) => Error | null = () => null

  constructor(
    readonly store: SharedStore,
    private readonly pace: () => Promise<void> = () => Promise.resolve(),
  ) {}

  async open(file: IncomingFile): Promise<FileWriter> {
    const failure = this.failOpen(file)
    if (failure) throw failure
    const parts: Buffer[] = []
    const step = async () => {
      await this.pace()
      this.onStep(++this.steps)
    }
    return {
      write: async (data) => {
        await step()
        parts.push(Buffer.from(data))
      },
      finish: async (sizeBytes) => {
        await step()
        const content = Buffer.concat(parts)
        if (content.length !== sizeBytes)
          throw new Error(`${file.path} was finished with ${content.length} bytes`)
        if (!createHash('sha512').update(content).digest().equals(file.sha512)) {
          throw new Error(`${file.path} was finished unverified`)
        }
        if (this.killed) return new Promise(() => undefined)
        const {order} = file
        const present = this.store.files.get(file.path)
        if (present && compareGenerations(order, present.order) < 0) return 'superseded'
        this.store.files.set(file.path, {content, order})
        this.store.deliveries.push(file.path)
        await step()
        return 'delivered'
      },
      discard: async () => undefined,
    }
  }

  /** As a processor, which keeps nothing. */
  async recall(): Promise<'nothing'> {
    return 'nothing'
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}

export function memorySpill(): SpillStore & {spilledBytes: number; open: number} {
  const store = {
    spilledBytes: 0,
    open: 0,
    create: async () => {
      let content = Buffer.alloc(0)
      store.open += 1
      return {
        append: async (data: Buffer) => {
          const position = content.length
          content = Buffer.concat([content, data])
          store.spilledBytes += data.length
          return position
        },
        read: async (position: number, place: Buffer) => void content.copy(place, 0, position),
        close: async () => {
          store.open -= 1
        },
      }
    },
  }
  return store
}

export interface Member {
  readonly kafka: Pick<MemoryKafka, 'admin' | 'reader' | 'producer' | 'groupConsumer'>
  readonly destination: Destination
  readonly instanceId?: string | null
  readonly options?: Partial<DeliverFilesOptions>
  readonly spill?: SpillStore
  readonly reporter?: Reporter
  readonly signal?: AbortSignal
}

/** Runs the whole delivery of topic `t` for group `g`, once, unless told otherwise. */
export function deliver({kafka, destination, instanceId = null, options, spill, reporter, signal}: Member) {
  return deliverFiles(
    {
      command: 'test',
      topic: 't',
      group: 'g',
      once: true,
      incompleteAfterMs: 0,
      memoryBytes: 1 << 20,
      concurrency: 4,
      commitIntervalMs: 60_000,
      commitFiles: 3,
      generations: 'newest',
      wants: null,
      deadLetterTopic: null,
      parkAfterMs: null,
      onFailure: 'hold',
      retryHeldMs: null,
      stopDrainMs: 5000,
      ...options,
    },
    {
      consumer: kafka.groupConsumer({topics: ['t'], groupId: 'g', instanceId, leaveOnStop: true}),
      admin: kafka.admin(),
      reader: kafka.reader(),
      producer: kafka.producer(),
      destination,
      spill: spill ?? memorySpill(),
      clock: realClock,
      logger: silentLogger,
      reporter: reporter ?? new RecordingReporter(),
      steps: {reached: ignore},
    },
    signal ?? new AbortController().signal,
  )
}

export async function kafkaWith(partitions: number): Promise<MemoryKafka> {
  const kafka = createMemoryKafka()
  await kafka.admin().createTopic('t', {partitions})
  return kafka
}

function ignore(): void {
  // On purpose.
}

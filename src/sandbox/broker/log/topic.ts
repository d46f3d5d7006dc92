import {mkdirSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import type {Logger} from '../../../core/ports/index.js'
import {Refusal} from '../protocol/errors.js'
import {readJsonFile, writeJsonFile} from './json-file.js'
import {PartitionLog} from './partition-log.js'
import type {TopicConfig} from './topic-config.js'

/** What `topic.json` holds. It is written last, so a directory without it is a topic that was never made. */
interface TopicFacts {
  readonly topic: string
  readonly partitionCount: number
  readonly config: TopicConfig
  /** Of the partitions whose first records were deleted. */
  readonly startOffsets: Readonly<Record<string, number>>
}

/** A topic in its directory: `topic.json`, and `<partition>.log` for each partition. */
export class Topic {
  readonly #directory: string
  readonly #logger: Logger
  readonly #partitions: PartitionLog[] = []
  #facts: TopicFacts

  private constructor(directory: string, facts: TopicFacts, logger: Logger) {
    this.#directory = directory
    this.#logger = logger
    this.#facts = facts
    this.#openPartitions()
  }

  static create(directory: string, facts: Omit<TopicFacts, 'startOffsets'>, logger: Logger): Topic {
    mkdirSync(directory)
    try {
      const created = new Topic(directory, {...facts, startOffsets: {}}, logger)
      created.#save({})
      return created
    } catch (thrown) {
      rmSync(directory, {recursive: true, force: true})
      throw thrown
    }
  }

  /** Null when the directory holds no topic. */
  static open(directory: string, logger: Logger): Topic | null {
    const facts = readJsonFile(join(directory, 'topic.json'), isTopicFacts)
    return facts === null ? null : new Topic(directory, facts, logger)
  }

  get name(): string {
    return this.#facts.topic
  }

  get config(): TopicConfig {
    return this.#facts.config
  }

  get partitionCount(): number {
    return this.#partitions.length
  }

  hasPartition(index: number): boolean {
    return this.#partitions[index] !== undefined
  }

  /** @throws Refusal UNKNOWN_TOPIC_OR_PARTITION */
  partition(index: number): PartitionLog {
    const log = this.#partitions[index]
    if (log === undefined) throw new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
    return log
  }

  setConfig(config: TopicConfig): void {
    this.#save({config})
  }

  growTo(partitionCount: number): void {
    this.#save({partitionCount})
    this.#openPartitions()
  }

  /**
   * @param offset null for the end
   * @returns the new start offset
   * @throws Refusal UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE
   */
  deleteBefore(partition: number, offset: number | null): number {
    const log = this.partition(partition)
    log.deleteBefore(offset ?? log.endOffset)
    this.#save({startOffsets: {...this.#facts.startOffsets, [partition]: log.startOffset}})
    return log.startOffset
  }

  close(): void {
    for (const partition of this.#partitions) partition.close()
  }

  #openPartitions(): void {
    for (let index = this.#partitions.length; index < this.#facts.partitionCount; index++) {
      const startOffset = this.#facts.startOffsets[index] ?? 0
      const path = join(this.#directory, `${index}.log`)
      this.#partitions.push(new PartitionLog(path, {startOffset, logger: this.#logger}))
    }
  }

  #save(changed: Partial<TopicFacts>): void {
    this.#facts = {...this.#facts, ...changed}
    writeJsonFile(join(this.#directory, 'topic.json'), this.#facts)
  }
}

function isTopicFacts(content: unknown): content is TopicFacts {
  const facts = content as Partial<TopicFacts> | null
  return (
    typeof facts?.topic === 'string' &&
    typeof facts.partitionCount === 'number' &&
    typeof facts.config === 'object' &&
    typeof facts.startOffsets === 'object'
  )
}

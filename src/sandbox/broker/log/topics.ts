import {mkdirSync, readdirSync, renameSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import type {Logger} from '../../../core/ports/index.js'
import {Refusal} from '../protocol/errors.js'
import {Topic} from './topic.js'
import type {TopicConfig} from './topic-config.js'

const MAX_PARTITIONS = 1000
const LEGAL_NAME = /^[a-zA-Z0-9._-]{1,249}$/

export interface TopicPlan {
  readonly topic: string
  /** -1 for the default. */
  readonly partitionCount: number
  readonly config: TopicConfig
}

/** All topics, one directory each under `topics/`. */
export class Topics {
  readonly #directory: string
  readonly #trash: string
  readonly #defaultPartitions: number
  readonly #logger: Logger
  readonly #topics = new Map<string, Topic>()

  constructor(directory: string, options: {readonly defaultPartitions: number; readonly logger: Logger}) {
    this.#directory = join(directory, 'topics')
    this.#trash = join(directory, 'trash')
    this.#defaultPartitions = options.defaultPartitions
    this.#logger = options.logger
    rmSync(this.#trash, {recursive: true, force: true})
    mkdirSync(this.#directory, {recursive: true})
    for (const name of readdirSync(this.#directory)) this.#open(join(this.#directory, name))
  }

  names(): string[] {
    return [...this.#topics.keys()]
  }

  find(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  /** @throws Refusal UNKNOWN_TOPIC_OR_PARTITION */
  get(name: string): Topic {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw new Refusal('UNKNOWN_TOPIC_OR_PARTITION')
    return topic
  }

  /**
   * Says what {@link create} would, and makes nothing.
   *
   * @throws Refusal INVALID_TOPIC, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS
   */
  checkPlan({topic, partitionCount}: TopicPlan): void {
    if (!LEGAL_NAME.test(topic) || topic === '.' || topic === '..') {
      throw new Refusal('INVALID_TOPIC', 'a topic name is 1 to 249 of a-z A-Z 0-9 . _ -')
    }
    if (this.#topics.has(topic)) throw new Refusal('TOPIC_ALREADY_EXISTS')
    const isLegalCount = partitionCount >= 1 && partitionCount <= MAX_PARTITIONS
    if (!isLegalCount && partitionCount !== -1) {
      throw new Refusal('INVALID_PARTITIONS', `a topic here has 1 to ${MAX_PARTITIONS} partitions`)
    }
  }

  /** @throws Refusal as {@link checkPlan} */
  create(plan: TopicPlan): Topic {
    this.checkPlan(plan)
    const partitionCount = plan.partitionCount === -1 ? this.#defaultPartitions : plan.partitionCount
    const topic = Topic.create(join(this.#directory, plan.topic), {...plan, partitionCount}, this.#logger)
    this.#topics.set(plan.topic, topic)
    return topic
  }

  /** @throws Refusal UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS */
  grow(name: string, partitionCount: number, options: {readonly validateOnly: boolean}): void {
    const topic = this.get(name)
    if (partitionCount <= topic.partitionCount || partitionCount > MAX_PARTITIONS) {
      throw new Refusal('INVALID_PARTITIONS', `${name} has ${topic.partitionCount} partitions`)
    }
    if (!options.validateOnly) topic.growTo(partitionCount)
  }

  /** @throws Refusal UNKNOWN_TOPIC_OR_PARTITION */
  delete(name: string): void {
    this.get(name).close()
    this.#topics.delete(name)
    // Out of the way in one step, so that a crash leaves the topic whole or gone.
    mkdirSync(this.#trash, {recursive: true})
    renameSync(join(this.#directory, name), join(this.#trash, name))
    rmSync(this.#trash, {recursive: true, force: true})
  }

  close(): void {
    for (const topic of this.#topics.values()) topic.close()
  }

  #open(directory: string): void {
    const topic = Topic.open(directory, this.#logger)
    if (topic === null) rmSync(directory, {recursive: true, force: true})
    else this.#topics.set(topic.name, topic)
  }
}

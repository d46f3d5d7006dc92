/**
 * Complete files on their way to their outcome: so many finished at once, the generations of one path one after
 * another. Those that wait are bounded in number and bytes, since only they may make reading wait: they end without
 * another record.
 */
import {Gauge, Semaphore, Turns} from '../flow/index.js'
import type {Assembly} from './assembly.js'

/** Files that wait, as a multiple of those being finished. */
const BACKLOG_FACTOR = 8

export class FinishQueue {
  private readonly slots: Semaphore
  private readonly pathTurns = new Turns()
  private readonly backlog = new Map<Assembly, number>()
  private readonly begun = new Set<Assembly>()
  private readonly files = new Gauge()
  private readonly bytes = new Gauge()

  constructor(
    private readonly concurrency: number,
    private readonly limitBytes: number,
  ) {
    this.slots = new Semaphore(concurrency)
  }

  /** Files without an outcome yet. */
  get length(): number {
    return this.files.value
  }

  /** What is taken at the moment; nothing of it may stay when all files have their outcome. */
  get inUse() {
    return {
      backlogFiles: this.files.value,
      backlogBytes: this.bytes.value,
      finishing: this.slots.inUse,
      pathsInTurn: this.pathTurns.size,
    }
  }

  /** From its last chunk's arrival on it is counted. @param bytes of it that wait in memory */
  enter(assembly: Assembly, bytes: number): void {
    if (this.backlog.has(assembly)) return
    this.backlog.set(assembly, bytes)
    this.files.add(1)
    this.bytes.add(bytes)
  }

  leave(assembly: Assembly): void {
    const bytes = this.backlog.get(assembly)
    if (bytes === undefined) return
    this.backlog.delete(assembly)
    this.begun.delete(assembly)
    this.files.subtract(1)
    this.bytes.subtract(bytes)
  }

  /** Those that no place was free for yet. */
  waiting(): Assembly[] {
    return [...this.backlog.keys()].filter((assembly) => !this.begun.has(assembly))
  }

  async run(assembly: Assembly, finish: () => Promise<void>): Promise<void> {
    await this.slots.run(async () => {
      if (this.backlog.has(assembly)) this.begun.add(assembly)
      await this.pathTurns.take(assembly.path, finish)
    })
  }

  async hasRoom(): Promise<void> {
    await this.files.atMost(this.concurrency * BACKLOG_FACTOR)
    await this.bytes.atMost(this.limitBytes)
  }

  async isEmpty(): Promise<void> {
    await this.files.atMost(0)
  }
}

/** All assemblies of a process: routes chunks to them, finishes what is complete, keeps generations in order. */
import type {DecodedChunk} from '../chunk/index.js'
import {asStreamtoolError, type StreamtoolError} from '../errors.js'
import {Gauge} from '../flow/index.js'
import {IntervalSet, LEDGER_EFFECT} from '../offsets/index.js'
import type {Destination, SpillStore, StepObserver} from '../ports/index.js'
import type {ConsumedRecord} from '../record.js'
import {Absorption} from './absorption.js'
import {
  Assembly,
  type AssemblySite,
  type ConcludedOutcome,
  type Conclusion,
  type OpenFile,
} from './assembly.js'
import {AssemblyRegistry} from './assembly-registry.js'
import {ConcludedGenerations} from './concluded-generations.js'
import {FinishQueue} from './finish-queue.js'
import {compareGenerations} from './generation-order.js'
import {generationKey, orderOf} from './generation.js'
import {ReorderBudget} from './reorder-buffer.js'
import {SecondChances} from './second-chances.js'
import {type RobbedFile, UnreadFiles} from './unread-files.js'

export interface ReassemblyOptions {
  readonly topic: string
  readonly destination: Destination
  readonly spill: SpillStore
  readonly steps: StepObserver
  /** Bounds the reorder buffers and the finished files that wait. */
  readonly memoryBytes: number
  /** How many files are verified and finished at once. */
  readonly concurrency: number
  /** `newest`: delivering a generation supersedes the older ones of its path. `all`: each is delivered. */
  readonly generations: 'newest' | 'all'
  /** Called once for each generation that gets an outcome, in the order in which they get it. */
  readonly onConcluded: (conclusion: Conclusion) => void
  /** A file is begun anew (its hash did not match, the storage failed): its records want reading once more. */
  readonly onReread: (offsets: ReadonlyMap<number, IntervalSet>) => void
  /** No file will fare better (`endsRun`): the file it was thrown for stays open, without an outcome. */
  readonly onRunEnded: (error: StreamtoolError) => void
}

/** How an open file may be concluded from outside. */
export type ClosingOutcome = Extract<ConcludedOutcome, 'parked' | 'stray' | 'superseded'>

export class Reassembly {
  private readonly assemblies = new AssemblyRegistry()
  private readonly absorption = new Absorption()
  private readonly concluded = new ConcludedGenerations()
  /** Of files that have their outcome, or were given up, while what was written of them is removed. */
  private readonly closing = new Set<Promise<void>>()
  private readonly secondChances = new SecondChances()
  private readonly unread = new UnreadFiles()
  private readonly finishQueue: FinishQueue
  private isEnding = false
  private readonly site: AssemblySite

  constructor(private readonly options: ReassemblyOptions) {
    this.finishQueue = new FinishQueue(options.concurrency, options.memoryBytes / 3)
    this.site = {
      topic: options.topic,
      destination: options.destination,
      reorder: new ReorderBudget((options.memoryBytes * 2) / 3, options.spill),
      steps: options.steps,
      written: new Gauge(),
      onWritten: (assembly) => void this.finishQueue.run(assembly, () => this.finish(assembly)),
      onBroken: (assembly, error) => void this.broken(assembly, error),
    }
  }

  /** Files complete but without an outcome yet. */
  get backlogCount(): number {
    return this.finishQueue.length
  }

  /** What is taken of the bounds at the moment: all of it comes back. */
  get inUse() {
    return {...this.finishQueue.inUse, reorderBytes: this.site.reorder.bytes.value}
  }

  get openCount(): number {
    return this.assemblies.size
  }

  /** Bytes handed to the destination, of whole files and of those under way. */
  get writtenBytes(): number {
    return this.site.written.value
  }

  /** @returns `stray` when the record's upload is concluded already: its offset is done */
  accept(decoded: DecodedChunk, record: ConsumedRecord, nowMs: number): 'taken' | 'stray' {
    const key = generationKey(decoded)
    let assembly = this.assemblies.ofGeneration(key)
    if (!assembly && this.concluded.isStray(key, decoded, record)) return 'stray'
    if (!assembly || this.isUploadedAgain(assembly, decoded, record))
      assembly = this.begin(key, decoded, record)
    const {order} = assembly
    this.absorption.add(assembly)
    assembly.accept(decoded, record, nowMs)
    // With chunks spread over partitions, the one that shows how old a generation is may come late.
    if (assembly.order !== order && assembly.progress === 'open' && this.isSuperseded(assembly)) {
      this.close(assembly, 'superseded')
      return 'taken'
    }
    // A file of one chunk may wait in memory.
    if (assembly.progress === 'complete')
      this.finishQueue.enter(assembly, decoded.chunk.count === 1 ? decoded.chunk.data.length : 0)
    return 'taken'
  }

  /**
   * Resolves when no record accepted so far needs to be kept, and few enough finished files wait for their
   * destination. Needs no further record to resolve.
   * @returns whether the memory of those records may be written over: not when a writer failed, which may still be
   *   reading
   */
  async absorbed(): Promise<boolean> {
    const isFree = await this.absorption.ended()
    await this.finishQueue.hasRoom()
    return isFree
  }

  /** Resolves when every complete file has its outcome. */
  async drained(): Promise<void> {
    await this.finishQueue.isEmpty()
  }

  /** Files with chunks missing, and those that failed or are held. */
  openFiles(): OpenFile[] {
    return [...this.assemblies].filter((assembly) => this.isOpen(assembly))
  }

  /**
   * Concludes an open file whose missing chunks are not waited for any longer.
   * @param recordCount of it when that was decided
   * @returns false when it has moved on since: more of it came, or it is gone
   */
  closeOpen(open: OpenFile, recordCount: number, outcome: ClosingOutcome, error?: StreamtoolError): boolean {
    if (!this.isOpen(open) || open.recordCount !== recordCount) return false
    this.close(open, outcome, error)
    return true
  }

  /** Whether it is still one of {@link openFiles}. */
  isOpen(open: OpenFile): open is Assembly {
    if (!(open instanceof Assembly) || !this.assemblies.has(open)) return false
    return open.progress === 'open' || open.state !== 'open'
  }

  /** Begins a held file anew: its records are read once more. Does nothing when it is held no longer. */
  retryHeld(open: OpenFile): void {
    if (this.isOpen(open) && open.state === 'held') this.beginAnew(open)
  }

  /**
   * No file is finished from now on but those that are being finished: the others are given up, for whoever reads
   * on. Afterwards {@link drained} resolves as soon as those are through.
   */
  finishNoMore(): void {
    this.isEnding = true
    for (const assembly of this.finishQueue.waiting()) void this.giveUp(assembly)
  }

  /**
   * Gives up every assembly that has records of these partitions: another member may own them now.
   * @returns the records that those assemblies had in other partitions, to be read again; and when nothing is left of
   *   what was written, which {@link discardAll} waits for too
   */
  discardPartitions(partitions: ReadonlySet<number>): {
    readonly reread: ReadonlyMap<number, IntervalSet>
    readonly removed: Promise<unknown>
  } {
    const reread = new Map<number, IntervalSet>()
    const affected = this.assemblies.withRecordsIn(partitions)
    for (const assembly of affected) {
      for (const [partition, offsets] of assembly.offsets) {
        if (partitions.has(partition)) continue
        const merged = reread.get(partition) ?? new IntervalSet()
        for (const {start, end} of offsets.runs()) merged.addRun(start, end)
        reread.set(partition, merged)
      }
    }
    return {reread, removed: Promise.all(affected.map((assembly) => this.giveUp(assembly)))}
  }

  /** The records of a partition that have been read for a file that is open or complete. */
  recordsHere(partition: number): IntervalSet {
    const here = new IntervalSet()
    for (const {progress, offsets} of this.assemblies) {
      if (progress === 'concluded') continue
      for (const {start, end} of offsets.get(partition)?.runs() ?? []) here.addRun(start, end)
    }
    return here
  }

  /** Files that cannot be put together any more now that these records are gone. */
  robbed(partition: number, lost: IntervalSet): RobbedFile[] {
    const held = [...this.assemblies].filter(({progress}) => progress === 'concluded')
    return this.unread.among(lost, partition, held)
  }

  /** A partition begins anew, and its offsets with it. */
  forgetConcluded(): void {
    this.concluded.forget()
  }

  async discardAll(): Promise<void> {
    await Promise.all([...this.assemblies].map((assembly) => this.giveUp(assembly)))
    await Promise.all(this.closing)
  }

  private begin(key: string, decoded: DecodedChunk, record: ConsumedRecord): Assembly {
    const assembly = new Assembly(key, decoded, record, this.site)
    this.assemblies.add(assembly)
    return assembly
  }

  /**
   * A, B, then A again without upload ids: a chunk that the first A has already, but later than the beginning of
   * B, begins a generation of its own. It would otherwise pass for a duplicate, and B would stay the last word. So
   * does what comes after an A that does not match its hash: it may be the same file, sent well.
   */
  private isUploadedAgain(assembly: Assembly, decoded: DecodedChunk, record: ConsumedRecord): boolean {
    if (decoded.headers.uploadId !== null || !assembly.hasChunk(decoded.chunk.index)) return false
    if (assembly.hasRecord(record)) return false
    if (assembly.outcome === 'failed') return true
    const order = orderOf(record, decoded)
    return [...this.assemblies.ofPath(assembly.path)].some(
      (other) =>
        compareGenerations(other.order, assembly.order) > 0 && compareGenerations(order, other.order) > 0,
    )
  }

  /** Never rejects: every way out is an outcome, or none because the assembly was given up. */
  private async finish(assembly: Assembly): Promise<void> {
    try {
      if (assembly.signal.aborted) return
      if (this.isEnding) {
        await this.giveUp(assembly)
        return
      }
      if (this.isSuperseded(assembly)) {
        await assembly.discard()
        this.conclude(assembly, 'superseded')
        return
      }
      assembly.verify()
      const outcome = await assembly.finish()
      // Given up meanwhile: whoever owns its partitions now will report it.
      if (!this.assemblies.has(assembly)) return
      if (outcome !== 'superseded') this.delivered(assembly)
      this.conclude(assembly, outcome)
    } catch (thrown) {
      if (!assembly.signal.aborted) await this.broken(assembly, asStreamtoolError(thrown))
    }
  }

  private async broken(assembly: Assembly, error: StreamtoolError): Promise<void> {
    // Until it is known what becomes of it, nobody may think that everything is through.
    this.finishQueue.enter(assembly, 0)
    await assembly.discard().catch(() => undefined)
    // Superseded or given up meanwhile: then that is its outcome.
    if (!this.assemblies.has(assembly)) return
    // Told to stop while its destination kept it waiting: whoever reads on begins it anew.
    if (error.code === 'INTERRUPTED') this.forget(assembly)
    else if (error.endsRun) {
      this.forget(assembly)
      this.options.onRunEnded(error)
    } else if (this.secondChances.take(assembly.key, error)) this.beginAnew(assembly)
    else if (error.code === 'FILE_HASH_MISMATCH') {
      await this.options.destination.mismatched?.(assembly.file)
      if (this.assemblies.has(assembly)) this.conclude(assembly, 'failed', error)
    } else this.conclude(assembly, 'held', error)
  }

  private beginAnew(assembly: Assembly): void {
    this.forget(assembly)
    this.unread.add(assembly)
    this.options.onReread(assembly.offsets)
  }

  private close(assembly: Assembly, outcome: ClosingOutcome, error?: StreamtoolError): void {
    void this.discarded(assembly)
    this.conclude(assembly, outcome, error)
  }

  private conclude(
    assembly: Assembly,
    outcome: ConcludedOutcome,
    error: StreamtoolError | null = null,
  ): void {
    const {file, offsets, writtenBytes: sizeBytes} = assembly
    assembly.conclude(outcome, error)
    if (LEDGER_EFFECT[outcome] === 'done') {
      this.forget(assembly)
      this.concluded.add(assembly)
    } else this.finishQueue.leave(assembly)
    this.options.onConcluded({file, outcome, sizeBytes, error, offsets})
  }

  /** Older generations get their outcome first: with this one's the run may be over. */
  private delivered(delivered: Assembly): void {
    this.concluded.delivered(delivered)
    if (this.options.generations === 'all') return
    for (const other of [...this.assemblies.ofPath(delivered.path)]) {
      if (compareGenerations(other.order, delivered.order) >= 0) continue
      // A complete one is waiting for its turn in `finish`, and finds out there.
      if (other.progress !== 'complete') this.close(other, 'superseded')
    }
  }

  private isSuperseded(assembly: Assembly): boolean {
    return this.options.generations === 'newest' && this.concluded.hasNewerDelivered(assembly)
  }

  private giveUp(assembly: Assembly): Promise<void> {
    this.forget(assembly)
    return this.discarded(assembly)
  }

  /** Never rejects, and is waited for at the end, also when nobody else does. */
  private discarded(assembly: Assembly): Promise<void> {
    const discarded = assembly
      .discard()
      .catch(() => undefined)
      .finally(() => this.closing.delete(discarded))
    this.closing.add(discarded)
    return discarded
  }

  private forget(assembly: Assembly): void {
    this.finishQueue.leave(assembly)
    this.assemblies.delete(assembly)
  }
}

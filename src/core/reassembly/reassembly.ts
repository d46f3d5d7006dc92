/** All assemblies of a process: routes chunks to them, finishes what is complete, keeps generations in order. */
import type {DecodedChunk} from '../chunk/index.js'
import {asStreamtoolError, type StreamtoolError} from '../errors.js'
import {Gauge, RecentKeys, Semaphore} from '../flow/index.js'
import {IntervalSet, LEDGER_EFFECT} from '../offsets/index.js'
import type {Destination, GenerationOrder, IncomingFile, SpillStore, StepObserver} from '../ports/index.js'
import type {ConsumedRecord} from '../record.js'
import {Assembly, type AssemblySite, type ConcludedOutcome, type Conclusion} from './assembly.js'
import {compareGenerations} from './generation-order.js'
import {generationKey, orderOf} from './generation.js'
import {ReorderBudget} from './reorder-buffer.js'

export interface ReassemblyOptions {
  readonly topic: string
  readonly destination: Destination
  readonly spill: SpillStore
  readonly steps: StepObserver
  /** Bounds the reorder buffers and the finished files that wait. */
  readonly memoryBytes: number
  /** How many files are verified and finished at once. */
  readonly concurrency: number
  /** Called once for each generation that gets an outcome, in the order in which they get it. */
  readonly onConcluded: (conclusion: Conclusion) => void
  /** A rebuilt file did not match its hash for the first time: its records want reading once more. */
  readonly onReread: (offsets: ReadonlyMap<number, IntervalSet>) => void
}

/** A file of which chunks are missing. */
export interface OpenFile {
  readonly file: IncomingFile
  readonly missingChunks: IntervalSet
  readonly newestTimestampMs: number
}

/** How many concluded generations, and delivered paths, are remembered. */
const REMEMBERED = 65_536
/** Finished files waiting for their destination, as a multiple of those being finished. */
const BACKLOG_FACTOR = 8

export class Reassembly {
  private readonly assemblies = new Set<Assembly>()
  /** The assembly that takes the chunks of a generation key. */
  private readonly current = new Map<string, Assembly>()
  /** Open and complete ones by path: usually one, more while generations overlap. */
  private readonly byPath = new Map<string, Set<Assembly>>()
  /** Assemblies given data since the last {@link absorbed}. */
  private touched = new Set<Assembly>()
  /** By generation key: the chunks that it had when it got its outcome. */
  private concludedChunks = new RecentKeys<IntervalSet>(REMEMBERED)
  private latestDelivered = new RecentKeys<{readonly key: string; readonly order: GenerationOrder}>(
    REMEMBERED,
  )
  private readonly mismatchedOnce = new RecentKeys<true>(1024)
  private readonly finishing = new Map<string, Promise<void>>()
  private readonly finishSlots: Semaphore
  private readonly backlog = new Map<Assembly, number>()
  private readonly backlogFiles = new Gauge()
  private readonly backlogBytes = new Gauge()
  private readonly site: AssemblySite

  constructor(private readonly options: ReassemblyOptions) {
    this.finishSlots = new Semaphore(options.concurrency)
    this.site = {
      topic: options.topic,
      destination: options.destination,
      reorder: new ReorderBudget(options.memoryBytes / 2, options.spill),
      steps: options.steps,
      onComplete: (assembly) => this.complete(assembly),
      onBroken: (assembly, error) => void this.broken(assembly, error),
    }
  }

  /** Files complete but without an outcome yet. */
  get backlogCount(): number {
    return this.backlogFiles.value
  }

  get openCount(): number {
    return this.assemblies.size
  }

  /** @returns `stray` when the record's upload is concluded already: its offset is done */
  accept(decoded: DecodedChunk, record: ConsumedRecord): 'taken' | 'stray' {
    const key = generationKey(decoded)
    let assembly = this.current.get(key)
    if (!assembly && this.isStray(key, decoded, record)) return 'stray'
    if (!assembly || this.isUploadedAgain(assembly, decoded, record))
      assembly = this.begin(key, decoded, record)
    const {order} = assembly
    assembly.accept(decoded, record)
    // With chunks spread over partitions, the one that shows how old a generation is may come late.
    if (assembly.order !== order && assembly.state === 'open' && this.isOlderThanDelivered(assembly)) {
      this.supersede(assembly)
      return 'taken'
    }
    this.touched.add(assembly)
    if (assembly.state === 'complete') this.enterBacklog(assembly, decoded)
    return 'taken'
  }

  /**
   * Resolves when no record accepted so far needs to be kept, and few enough finished files wait for their
   * destination. Needs no further record to resolve.
   */
  async absorbed(): Promise<void> {
    const touched = this.touched
    this.touched = new Set()
    for (const assembly of touched) await assembly.absorbed()
    await this.backlogFiles.atMost(this.options.concurrency * BACKLOG_FACTOR)
    await this.backlogBytes.atMost(this.options.memoryBytes / 4)
  }

  /** Resolves when every complete file has its outcome. */
  async drained(): Promise<void> {
    await this.backlogFiles.atMost(0)
  }

  /** Files with chunks missing; those that are held or failed are told through `onConcluded` instead. */
  openFiles(): OpenFile[] {
    return [...this.assemblies]
      .filter(({state}) => state === 'open')
      .map((assembly) => ({
        file: assembly.file,
        missingChunks: assembly.missingChunks(),
        newestTimestampMs: assembly.newestTimestampMs,
      }))
  }

  /**
   * Gives up every assembly that has records of these partitions: another member may own them now.
   * @returns the records that those assemblies had in other partitions, to be read again
   */
  async discardPartitions(partitions: ReadonlySet<number>): Promise<Map<number, IntervalSet>> {
    const reread = new Map<number, IntervalSet>()
    const affected = [...this.assemblies].filter(({offsets}) =>
      [...offsets.keys()].some((p) => partitions.has(p)),
    )
    for (const assembly of affected) {
      for (const [partition, offsets] of assembly.offsets) {
        if (partitions.has(partition)) continue
        const merged = reread.get(partition) ?? new IntervalSet()
        for (const {start, end} of offsets.runs()) merged.addRun(start, end)
        reread.set(partition, merged)
      }
    }
    await Promise.all(affected.map((assembly) => this.giveUp(assembly)))
    return reread
  }

  /** What was delivered is no measure any more: a partition begins anew, and its offsets with it. */
  forgetDelivered(): void {
    this.concludedChunks = new RecentKeys(REMEMBERED)
    this.latestDelivered = new RecentKeys(REMEMBERED)
  }

  async discardAll(): Promise<void> {
    await Promise.all([...this.assemblies].map((assembly) => this.giveUp(assembly)))
  }

  private begin(key: string, decoded: DecodedChunk, record: ConsumedRecord): Assembly {
    const assembly = new Assembly(key, decoded, record, this.site)
    this.assemblies.add(assembly)
    this.current.set(key, assembly)
    const generations = this.byPath.get(decoded.path)
    if (generations) generations.add(assembly)
    else this.byPath.set(decoded.path, new Set([assembly]))
    return assembly
  }

  /**
   * With an upload id, an upload that was concluded is over. Without, the same content may rightly come again
   * (A, B, A), so a copy of what the path got last is a stray, and what comes late of a generation that this had superseded.
   */
  private isStray(key: string, decoded: DecodedChunk, record: ConsumedRecord): boolean {
    const latest = this.latestDelivered.get(decoded.path)
    if (latest?.key === key) return true
    const concludedChunks = this.concludedChunks.get(key)
    if (!concludedChunks) return false
    if (decoded.headers.uploadId !== null) return true
    if (latest && compareGenerations(orderOf(record, decoded), latest.order) < 0) return true
    // It was superseded before it was complete, and this is one of the chunks that were still on their way.
    return concludedChunks.add(decoded.chunk.index)
  }

  /**
   * A, B, then A again without upload ids: a chunk that the first A has already, but later than the beginning of
   * B, begins a generation of its own. It would otherwise pass for a duplicate, and B would stay the last word.
   */
  private isUploadedAgain(assembly: Assembly, decoded: DecodedChunk, record: ConsumedRecord): boolean {
    if (decoded.headers.uploadId !== null || !assembly.hasChunk(decoded.chunk.index)) return false
    if (assembly.hasRecord(record)) return false
    const order = orderOf(record, decoded)
    return [...(this.byPath.get(assembly.path) ?? [])].some(
      (other) =>
        compareGenerations(other.order, assembly.order) > 0 && compareGenerations(order, other.order) > 0,
    )
  }

  private complete(assembly: Assembly): void {
    void this.finishSlots.run(() => this.afterEarlierOfPath(assembly, () => this.finish(assembly)))
  }

  /** From its last chunk's arrival to its outcome. A file of one chunk may wait in memory, so it counts in bytes too. */
  private enterBacklog(assembly: Assembly, {chunk}: DecodedChunk): void {
    if (this.backlog.has(assembly)) return
    const bytes = chunk.count === 1 ? chunk.data.length : 0
    this.backlog.set(assembly, bytes)
    this.backlogFiles.add(1)
    this.backlogBytes.add(bytes)
  }

  private leaveBacklog(assembly: Assembly): void {
    const bytes = this.backlog.get(assembly)
    if (bytes === undefined) return
    this.backlog.delete(assembly)
    this.backlogFiles.subtract(1)
    this.backlogBytes.subtract(bytes)
  }

  /** Two generations of one path are never finished at the same time. */
  private async afterEarlierOfPath(assembly: Assembly, finish: () => Promise<void>): Promise<void> {
    const {path} = assembly
    const turn = (this.finishing.get(path) ?? Promise.resolve()).then(finish)
    this.finishing.set(path, turn)
    await turn
    if (this.finishing.get(path) === turn) this.finishing.delete(path)
  }

  /** Never rejects: every way out is an outcome, or none because the assembly was given up. */
  private async finish(assembly: Assembly): Promise<void> {
    try {
      if (assembly.signal.aborted) return
      if (this.isOlderThanDelivered(assembly)) {
        await assembly.discard()
        this.conclude(assembly, 'superseded')
        return
      }
      assembly.verify()
      const outcome = await assembly.finish()
      // Given up meanwhile: whoever owns its partitions now will report it.
      if (!this.assemblies.has(assembly)) return
      if (outcome !== 'superseded') this.deliveredNow(assembly)
      this.conclude(assembly, outcome)
    } catch (thrown) {
      if (!assembly.signal.aborted) await this.broken(assembly, asStreamtoolError(thrown))
    }
  }

  private async broken(assembly: Assembly, error: StreamtoolError): Promise<void> {
    await assembly.discard().catch(() => undefined)
    if (error.code === 'FILE_HASH_MISMATCH') {
      if (this.mismatchedOnce.get(assembly.key)) this.conclude(assembly, 'failed', error)
      else {
        this.mismatchedOnce.set(assembly.key, true)
        this.forget(assembly)
        this.options.onReread(assembly.offsets)
      }
    } else this.conclude(assembly, 'held', error)
  }

  private conclude(
    assembly: Assembly,
    outcome: ConcludedOutcome,
    error: StreamtoolError | null = null,
  ): void {
    const {key, file, offsets, writtenBytes: sizeBytes} = assembly
    assembly.close()
    if (LEDGER_EFFECT[outcome] === 'done') {
      this.forget(assembly)
      this.concludedChunks.set(key, assembly.receivedChunks)
    } else this.leaveBacklog(assembly)
    this.options.onConcluded({file, outcome, sizeBytes, error, offsets})
  }

  /** Older generations get their outcome first: with this one's the run may be over. */
  private deliveredNow(delivered: Assembly): void {
    const {path, key, order} = delivered
    this.latestDelivered.set(path, {key, order})
    for (const other of this.byPath.get(delivered.path) ?? []) {
      if (compareGenerations(other.order, delivered.order) >= 0) continue
      // A complete one is waiting for its turn in `finish`, and finds out there.
      if (other.state === 'complete') continue
      this.supersede(other)
    }
  }

  private isOlderThanDelivered({path, order}: Assembly): boolean {
    const latest = this.latestDelivered.get(path)
    return latest !== undefined && compareGenerations(order, latest.order) < 0
  }

  private supersede(assembly: Assembly): void {
    void assembly.discard().catch(() => undefined)
    this.conclude(assembly, 'superseded')
  }

  private async giveUp(assembly: Assembly): Promise<void> {
    this.forget(assembly)
    await assembly.discard().catch(() => undefined)
  }

  private forget(assembly: Assembly): void {
    this.leaveBacklog(assembly)
    this.assemblies.delete(assembly)
    if (this.current.get(assembly.key) === assembly) this.current.delete(assembly.key)
    const generations = this.byPath.get(assembly.path)
    generations?.delete(assembly)
    if (generations?.size === 0) this.byPath.delete(assembly.path)
  }
}

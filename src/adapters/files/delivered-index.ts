/**
 * Which generation each path of an output directory holds, for ever and for every process that writes there, so
 * that none puts an older one over a newer: not after a restart, not when it comes back from being suspended.
 *
 * Each process writes a table of its own, under the number of its slot, and reads all.
 */
import {mkdir, readdir} from 'node:fs/promises'
import path from 'node:path'
import type {Clock} from '../../core/ports/index.js'
import {compareGenerations, isOlderThanHeld} from '../../core/reassembly/generation-order.js'
import {naming} from '../system/storage-error.js'
import {type Delivered, intended, isSameGeneration, isSameTopic} from './index-slot.js'
import {findInTableOfAnother, IndexTable} from './index-table.js'
import {syncDirectory} from './sync-directory.js'

/** `asOf`: of two deliveries of the same, the newer: it decides what is older than this path's content. */
export type Holding = {readonly what: 'newer' | 'neither'} | {readonly what: 'same'; readonly asOf: Delivered}

/**
 * So long a list of the other processes' tables is good. One that is not on it started since, and must first join
 * the group and be given partitions that were ours, which takes longer than this.
 */
const OTHERS_KNOWN_MS = 1000

export class DeliveredIndex {
  private others: readonly string[] = []
  private othersReadAtMs = -Infinity

  private constructor(
    private readonly directory: string,
    private readonly own: string,
    private readonly table: IndexTable,
    private readonly clock: Clock,
  ) {}

  /** @param slot which no other live process holds */
  static async open(directory: string, slot: number, clock: Clock): Promise<DeliveredIndex> {
    const own = String(slot)
    await naming('create', directory, async () => {
      await mkdir(path.join(directory, own), {recursive: true, mode: 0o700})
      await syncDirectory(directory)
      await syncDirectory(path.dirname(directory))
    })
    return new DeliveredIndex(directory, own, new IndexTable(path.join(directory, own)), clock)
  }

  /** False when nothing was ever delivered of the path; usually without looking at the disk. */
  async mayHold({pathHash}: Delivered): Promise<boolean> {
    return (await this.tablesOfOthers()).length > 0 || (await this.table.find(pathHash)) !== null
  }

  /** What was delivered of its path before: a generation newer than this one, this very one, or neither. */
  async holds(incoming: Delivered): Promise<Holding> {
    const held = await this.heldOf(incoming.pathHash)
    if (held.some((each) => isOlder(incoming, each))) return {what: 'newer'}
    const newest = newestOf(held)
    if (newest === null || !isSameGeneration(incoming, newest)) return {what: 'neither'}
    return {what: 'same', asOf: compareGenerations(incoming.order, newest.order) < 0 ? newest : incoming}
  }

  /** Every file that streamtool may have left for the path, under whatever name: the newest first, intents last. */
  async traces(incoming: Delivered): Promise<readonly Delivered[]> {
    const held = await this.heldOf(incoming.pathHash)
    const intents = await this.heldOf(intended(incoming).pathHash)
    return [...held.sort(newestFirst), ...intents]
  }

  /** To be called before a file is put in its place, so that it is known for ours if we die before {@link record}. */
  async intend(delivered: Delivered): Promise<void> {
    await this.table.put(intended(delivered))
  }

  /**
   * Enters it, for all processes to see.
   * @returns makes it durable
   */
  record(delivered: Delivered): Promise<() => Promise<void>> {
    return this.table.put(delivered)
  }

  close(): Promise<void> {
    return this.table.close()
  }

  private async heldOf(pathHash: Buffer): Promise<Delivered[]> {
    const held = [await this.table.find(pathHash)]
    for (const table of await this.tablesOfOthers()) held.push(await findInTableOfAnother(table, pathHash))
    return held.filter((each) => each !== null)
  }

  private async tablesOfOthers(): Promise<readonly string[]> {
    const nowMs = this.clock.nowMs()
    if (Math.abs(nowMs - this.othersReadAtMs) < OTHERS_KNOWN_MS) return this.others
    const names = await naming('read', this.directory, () => readdir(this.directory))
    this.othersReadAtMs = nowMs
    this.others = names.filter((name) => name !== this.own).map((name) => path.join(this.directory, name))
    return this.others
  }
}

function isOlder(one: Delivered, other: Delivered): boolean {
  return !isSameGeneration(one, other) && isOlderThanHeld(one.order, other.order, isSameTopic(one, other))
}

/** By age alone they are not sorted: three generations in two partitions can form a circle (generation-order.ts). */
function newestOf(held: readonly Delivered[]): Delivered | null {
  const [first, ...others] = held
  if (first === undefined) return null
  return others.reduce((newest, each) => (isOlder(newest, each) ? each : newest), first)
}

const newestFirst = (a: Delivered, b: Delivered) => (isOlder(a, b) ? 1 : isOlder(b, a) ? -1 : 0)

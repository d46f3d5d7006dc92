/**
 * A hash table in files: one slot per path, for any number of paths, in constant memory. It is written in place,
 * so it needs no compaction and has no tail that could be torn; only its one owner writes, others may read.
 *
 *     level 0      64 pages of 32 slots       a path's page in a level is its hash modulo the number of pages;
 *     level 1     512 pages                   it is entered in the first level whose page has room, and stays there.
 *     level 2   4,096 pages                   Slots are never freed, so a page with room ends the search.
 *     ...
 *
 * Levels are sparse files: a page that nobody wrote takes no space.
 */
import path from 'node:path'
import {calls, OpenFlags, readFully, writeFully} from '../system/calls.js'
import {errno, isStale, naming} from '../system/storage-error.js'
import {coalesce} from './coalesced-sync.js'
import {decodeSlot, type Delivered, encodeSlot, isSlotFor, SLOT_BYTES} from './index-slot.js'
import {PageCache} from './page-cache.js'
import {syncDirectory} from './sync-directory.js'

const PAGE_BYTES = 4096
const FIRST_LEVEL_PAGES = 64
const GROWTH = 8
/** More slots than any file system has files. */
const LEVELS = 10
/** 16 MiB, reached with about 100,000 paths. */
const CACHED_PAGES = 4096

interface Level {
  readonly descriptor: number
  readonly sync: () => Promise<void>
}

export class IndexTable {
  private readonly levels = new Map<number, Promise<Level>>()
  /** Those whose descriptors turned out to be stale; somebody may still be using them. */
  private readonly dropped: Promise<Level>[] = []
  private readonly pages: PageCache

  /** @param directory exists, and nobody else writes there */
  constructor(
    private readonly directory: string,
    cachedPages = CACHED_PAGES,
  ) {
    this.pages = new PageCache(cachedPages, async (level, page) =>
      readPage((await this.level(level)).descriptor, page),
    )
  }

  async find(pathHash: Buffer): Promise<Delivered | null> {
    return this.working('read', async () => {
      for (const {level, page} of pagesOf(pathHash)) {
        const slot = await this.pages.use(level, page, (bytes) => copyOfSlot(bytes, pathHash))
        if (slot !== null) return decodeSlot(slot)
      }
      return null
    })
  }

  /**
   * Enters what its path holds now; other processes see it from then on. Safe to repeat; one call per path at a time.
   * @returns makes it durable
   */
  async put(entry: Delivered): Promise<() => Promise<void>> {
    const slot = encodeSlot(entry)
    return this.working('write', async () => {
      for (const {level, page} of pagesOf(entry.pathHash)) {
        const isEntered = await this.pages.use(level, page, async (bytes) => {
          const position = positionOf(bytes, entry.pathHash)
          if (position === null) return false
          // Claimed before the first await: the next path must not be given the same free slot.
          slot.copy(bytes, position)
          const {descriptor} = await this.level(level)
          await writeFully(descriptor, slot, page * PAGE_BYTES + position)
          return true
        })
        if (isEntered) return () => this.sync(level)
      }
      throw Object.assign(new Error('the index has no room left'), {code: 'EOVERFLOW'})
    })
  }

  async close(): Promise<void> {
    const levels = [...this.levels.values(), ...this.dropped.splice(0)]
    this.levels.clear()
    this.pages.clear()
    for (const opening of levels) await calls.close((await opening).descriptor)
  }

  private async sync(level: number): Promise<void> {
    await this.working('sync', async () => (await this.level(level)).sync())
  }

  /** After a failure of the storage itself the next attempt opens everything anew. */
  private async working<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await naming(action, this.directory, work)
    } catch (thrown) {
      if (isStale(thrown)) this.drop()
      throw thrown
    }
  }

  private drop(): void {
    this.dropped.push(...this.levels.values())
    this.levels.clear()
    this.pages.clear()
  }

  private async level(number: number): Promise<Level> {
    const opening = this.levels.get(number) ?? this.openLevel(number)
    this.levels.set(number, opening)
    try {
      return await opening
    } catch (thrown) {
      if (this.levels.get(number) === opening) this.levels.delete(number)
      throw thrown
    }
  }

  private async openLevel(number: number): Promise<Level> {
    const descriptor = await openOrCreate(levelFile(this.directory, number))
    await syncDirectory(this.directory)
    return {descriptor, sync: coalesce(() => calls.fdatasync(descriptor))}
  }
}

/** Looks a path up in a table that another process may be writing to. */
export async function findInTableOfAnother(directory: string, pathHash: Buffer): Promise<Delivered | null> {
  return naming('read', directory, async () => {
    for (const {level, page} of pagesOf(pathHash)) {
      const descriptor = await openIfThere(levelFile(directory, level))
      if (descriptor === null) return null
      try {
        const slot = copyOfSlot(await readPage(descriptor, page), pathHash)
        if (slot !== null) return decodeSlot(slot)
      } finally {
        await calls.close(descriptor)
      }
    }
    return null
  })
}

/** Where a path may stand, in the order of search. */
function* pagesOf(pathHash: Buffer): Generator<{level: number; page: number}> {
  const hash = pathHash.readUInt32BE(0)
  for (let level = 0, pages = FIRST_LEVEL_PAGES; level < LEVELS; level += 1, pages *= GROWTH) {
    yield {level, page: hash % pages}
  }
}

/** @returns where the path's slot is in the page, or the free one it would get; null when all are others' */
function positionOf(page: Buffer, pathHash: Buffer): number | null {
  for (let position = 0; position < PAGE_BYTES; position += SLOT_BYTES) {
    if (isSlotFor(page, position, pathHash)) return position
  }
  return null
}

function copyOfSlot(page: Buffer, pathHash: Buffer): Buffer | null {
  const position = positionOf(page, pathHash)
  return position === null ? null : Buffer.from(page.subarray(position, position + SLOT_BYTES))
}

function levelFile(directory: string, level: number): string {
  return path.join(directory, `level-${level}.v1`)
}

/** What lies behind the end of the file was never written: zeros. */
async function readPage(descriptor: number, page: number): Promise<Buffer> {
  const bytes = Buffer.alloc(PAGE_BYTES)
  await readFully(descriptor, bytes, page * PAGE_BYTES)
  return bytes
}

async function openOrCreate(file: string): Promise<number> {
  try {
    return await calls.open(file, OpenFlags.createNew, 0o600)
  } catch (thrown) {
    if (errno(thrown) !== 'EEXIST') throw thrown
    return calls.open(file, OpenFlags.readWrite)
  }
}

async function openIfThere(file: string): Promise<number | null> {
  try {
    return await calls.open(file, OpenFlags.readNoFollow)
  } catch (thrown) {
    if (errno(thrown) === 'ENOENT') return null
    throw thrown
  }
}

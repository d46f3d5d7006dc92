/**
 * Files that were begun, and of which nothing is here any more: the rebuilt one did not match its hash, or their
 * destination held them. Their records must be read again, so when the topic loses those, this is where their names
 * are known.
 */
import {RecentKeys} from '../flow/index.js'
import {IntervalSet} from '../offsets/index.js'
import type {IncomingFile} from '../ports/index.js'
import type {Assembly} from './assembly.js'

/** How many that are to be read again are remembered. */
const REMEMBERED = 1024

/** A file of which records are gone. */
export interface RobbedFile {
  readonly file: IncomingFile
  /** How many of its records. */
  readonly records: number
}

type Begun = Pick<Assembly, 'file' | 'offsets'>

export class UnreadFiles {
  private readonly begun = new RecentKeys<Begun>(REMEMBERED)

  /** It was given up, to be begun anew. */
  add({key, file, offsets}: Assembly): void {
    this.begun.set(key, {file, offsets})
  }

  /** @param held concluded, and open for whoever comes next */
  among(lost: IntervalSet, partition: number, held: Iterable<Begun>): RobbedFile[] {
    const robbed = new Map<string, RobbedFile>()
    for (const {file, offsets} of [...this.begun.values(), ...held]) {
      const records = common(lost, offsets.get(partition))
      if (records > 0) robbed.set(file.path, {file, records})
    }
    return [...robbed.values()]
  }
}

function common(lost: IntervalSet, offsets: IntervalSet | undefined): number {
  let count = 0
  for (const {start, end} of offsets?.runs() ?? [])
    count += end - start - IntervalSet.of(lost.gaps(start, end)).size
  return count
}

/**
 * What it means that a partition begins behind records that were not done: retention, or somebody, has removed them.
 *
 * They are written off, since nobody will ever read them, but not in silence. Of a record that was never read nobody
 * knows whose it was; so what is told is every file that is known to have had records there, and every open file that
 * its missing chunks may have been lost of. A file whose own records this process has read already loses nothing: it
 * stays open, and so do their offsets.
 */
import type {IntervalSet, PartitionLedger} from '../../core/offsets/index.js'
import type {PartitionRange} from '../../core/ports/index.js'
import type {OpenFile, Reassembly} from '../../core/reassembly/index.js'
import type {Notices} from './notices.js'
import type {Tally} from './tally.js'

export interface TrimmedLogOptions {
  readonly reassembly: Reassembly
  readonly tally: Tally
  readonly notices: Notices
}

export class TrimmedLog {
  /** Partitions of which records were removed that this process has not read. */
  private readonly partitions = new Set<number>()

  constructor(private readonly options: TrimmedLogOptions) {}

  /** The partition begins at `range.start` now. */
  writeOff(range: PartitionRange, ledger: PartitionLedger): void {
    const {reassembly, tally} = this.options
    const {topic, partition, start} = range
    const seenTo = ledger.position
    const lost = ledger.writeOffBelow(start, reassembly.recordsHere(partition))
    const robbed = reassembly.robbed(partition, lost)
    const doubtful = [...lost.runs()].some(({end}) => end > seenTo) ? this.incompleteIn(partition) : []
    this.tell(
      range,
      lost,
      [...robbed, ...doubtful].map(({file}) => file.path),
    )
    for (const {file, records} of robbed) tally.gone(file.path, records, topic)
    for (const open of doubtful)
      tally.doubtful({...open, file: open.file, missing: open.missingChunks()}, topic)
  }

  /** Of what a former owner of the partition had left open, only the offsets are known. */
  tell(range: PartitionRange, lost: IntervalSet, paths: readonly string[] = []): void {
    if (lost.size === 0) return
    this.partitions.add(range.partition)
    this.options.tally.recordsLost = true
    this.options.notices.trimmed(range, lost, paths)
  }

  /** Its missing chunks may have been among what was removed. */
  concerns(open: OpenFile): boolean {
    return open.partitionedByFile
      ? [...open.offsets.keys()].some((partition) => this.partitions.has(partition))
      : this.partitions.size > 0
  }

  private incompleteIn(partition: number): OpenFile[] {
    return this.options.reassembly
      .openFiles()
      .filter(
        ({state, offsets, partitionedByFile}) =>
          state === 'open' && (offsets.has(partition) || !partitionedByFile),
      )
  }
}

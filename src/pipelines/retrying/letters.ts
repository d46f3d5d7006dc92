/** The letters on a dead-letter topic that are not done. */
import {type DeadLetter, decodeLetter} from '../../core/dead-letters/index.js'
import type {ConsumedRecord, Logger, TopicReader} from '../../core/ports/index.js'
import type {PartitionTable} from '../delivery/partition-table.js'

/** What is kept of each is a few hundred bytes. */
const MAX_LETTERS = 100_000

/** A letter, and where on the dead-letter topic it is. */
export type FoundLetter = DeadLetter & {
  readonly at: {readonly partition: number; readonly offset: number}
}

/** What is about another topic stays as it is; what is no letter of ours is passed over for good. */
export async function readLetters(
  {from, topic}: {readonly from: string; readonly topic: string | null},
  {reader, logger}: {readonly reader: TopicReader; readonly logger: Logger},
  table: PartitionTable,
  signal: AbortSignal,
): Promise<FoundLetter[]> {
  const letters: FoundLetter[] = []
  let foreign = 0
  let left = 0
  const take = ({partition, offset, ...record}: ConsumedRecord) => {
    const ledger = table.get(partition)?.ledger
    if (ledger?.see(offset) !== true) return
    const letter = decodeLetter(record)
    if (letter === null) {
      foreign += 1
      ledger.markDone([{start: offset, end: offset + 1}])
    } else if (topic !== null && topicOf(letter) !== topic) return
    else if (letters.length === MAX_LETTERS) left += 1
    else letters.push({...letter, at: {partition, offset}})
  }
  for (const [partition, ledger] of table.ledgers()) {
    const end = table.get(partition)?.endOffset ?? 0
    const range = {topic: from, partition, start: ledger.safeOffset, end}
    await reader.read(
      range,
      async (records, nextOffset) => {
        for (const record of records) take(record)
        ledger.passTo(nextOffset)
      },
      signal,
    )
  }
  if (foreign > 0)
    logger.warn(`${foreign} records of ${from} are no letters of streamtool and are passed over.`)
  if (left > 0) logger.warn(`${left} more letters are left for another run of this command.`)
  return letters
}

const topicOf = (letter: DeadLetter) => (letter.kind === 'file' ? letter.topic : letter.origin.topic)

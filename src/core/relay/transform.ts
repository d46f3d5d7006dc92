/** What is done with each record on its way. */
import type {ConsumedRecord, OutgoingRecord} from '../record.js'

export interface RecordTransform {
  /** For messages: `reverse`, the plugin's name, the program. */
  readonly name: string
  /**
   * What to send instead of the record: one, several in order, or nothing. May answer at once or later; records of
   * one partition come one after another, each after the answer to the one before.
   * @param signal aborted when nobody waits for the answer any more
   * @throws anything: the attempt has failed. RECORD_FAILED says that another one would fail too
   */
  transform(record: ConsumedRecord, signal: AbortSignal): Transformed | Promise<Transformed>
  close(): Promise<void>
}

export type Transformed = OutgoingRecord | readonly OutgoingRecord[] | null

/** Key, value, headers and time, as they are. */
export function forwarded({key, value, headers, timestampMs}: ConsumedRecord): OutgoingRecord {
  const record = {key, value: value === null ? null : [value], headers}
  return timestampMs < 0 ? record : {...record, timestampMs}
}

/** The same record with another value. */
export function withValue(record: ConsumedRecord, value: Buffer): OutgoingRecord {
  return {...forwarded(record), value: [value]}
}

export const identity: RecordTransform = {
  name: 'identity',
  transform: forwarded,
  close: async () => undefined,
}

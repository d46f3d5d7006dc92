import type {FileInfo, ResultRecord} from './contract.js'

/** Where records that a processor produces go. */
export interface ResultSink {
  /**
   * Resolves when the record is acknowledged.
   * @param file whose result it is: named in errors; its path places a record that has no key
   * @throws PROCESSING_FAILED when the record itself cannot be sent; what the producer throws; the signal's reason
   */
  produce(record: ResultRecord, file: FileInfo, signal: AbortSignal): Promise<void>
  /** What `process` returned: an object is sent as JSON, a Buffer as it is, the rest is no result. */
  returned(value: unknown, file: FileInfo, signal: AbortSignal): Promise<void>
}

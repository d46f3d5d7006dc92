/**
 * What a processor hands over, as a record. Plugins are not type-checked where they run: what makes no record is
 * refused by name.
 */
import type {OutgoingRecord, RecordHeader} from '../core/ports/index.js'
import type {FileInfo, ResultRecord} from './contract.js'

/** @throws TypeError: says which part of the record is wrong, and what it may be */
export function encodeResult({key, value, headers}: ResultRecord): OutgoingRecord {
  const valueBytes = bytesOfValue(value)
  return {
    key: key === undefined || key === null ? null : bytesOf('key', key),
    value: valueBytes && [valueBytes],
    headers: headersOf(headers),
  }
}

/** The key of OpenMSIStream's reproducers: `run_01/a.csv` -> `run_01_a.csv_chunk_processing_result`. */
export function returnedKey({subdir, name}: Pick<FileInfo, 'subdir' | 'name'>): string {
  return `${subdir.replaceAll('/', '_')}_${name}_chunk_processing_result`
}

function bytesOfValue(value: unknown): Buffer | null {
  if (value === null) return null
  if (typeof value === 'string' || value instanceof Uint8Array) return bytesOf('value', value)
  if (typeof value === 'object') return Buffer.from(jsonOf(value))
  throw new TypeError(
    `the value of a result is a text, a Buffer, an object or null; this is ${kindOf(value)}`,
  )
}

function jsonOf(value: object): string {
  // The type says string; `toJSON` may say otherwise.
  const json = JSON.stringify(value) as string | undefined
  if (json === undefined) throw new TypeError('the value of a result becomes nothing as JSON')
  return json
}

function headersOf(headers: unknown): RecordHeader[] {
  if (headers === undefined || headers === null) return []
  if (typeof headers !== 'object') throw new TypeError(`the headers of a result are ${kindOf(headers)}`)
  return Object.entries(headers).map(([key, value]) => ({key, value: bytesOf(`header ${key}`, value)}))
}

function bytesOf(part: string, value: unknown): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  throw new TypeError(`the ${part} of a result is a text or a Buffer; this is ${kindOf(value)}`)
}

const kindOf = (value: unknown): string => (typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`)

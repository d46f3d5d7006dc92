/**
 * How a program is given records, and answers: a line of JSON each, in UTF-8.
 *
 * To the program:
 *
 *     {"topic":"in","partition":0,"offset":12,"timestamp":1795310911386,"key":"azA=","value":"aGVsbG8=","text":"hello",
 *      "headers":[["h","eA=="],["n",null]]}
 *
 * `key`, `value` and the values of headers are base64, or null; `text` is the value where that is UTF-8.
 *
 * From the program, one line for each, in the same order:
 *
 *     {"text":"HELLO"}                         the record with another value; as base64: {"value":"SEVMTE8="}
 *     {"key":"azE=","headers":[],…}            what is left out stays as it was
 *     [{"text":"one"},{"text":"two"}]          several; [] is none, and so is null
 *     {"error":"why"}                          this attempt has failed
 *
 * An answer may tell `topic`, `partition` and `offset` too, as one does that was made of the line itself: then they must
 * be the record's.
 */
import {isUtf8} from 'node:buffer'
import {StreamtoolError} from '../../core/errors.js'
import type {ConsumedRecord, OutgoingRecord, RecordHeader} from '../../core/ports/index.js'
import {forwarded, type Transformed} from '../../core/relay/index.js'

export function lineOf({topic, partition, offset, timestampMs, key, value, headers}: ConsumedRecord): string {
  const text = value !== null && isUtf8(value) ? {text: value.toString('utf8')} : {}
  return `${JSON.stringify({
    topic,
    partition,
    offset,
    timestamp: timestampMs,
    key: base64(key),
    value: base64(value),
    ...text,
    headers: headers.map((header) => [header.key, base64(header.value)]),
  })}\n`
}

export type ProgramAnswer = {readonly transformed: Transformed} | {readonly failure: StreamtoolError}

/** @throws PROCESSING_FAILED when the line is no answer; PROGRAM_OUT_OF_STEP when it is another record's */
export function answerOf(line: string, record: ConsumedRecord): ProgramAnswer {
  const answer = parsed(line)
  if (answer === null) return {transformed: null}
  const answers = (Array.isArray(answer) ? answer : [answer]).map(tableOf)
  for (const each of answers) requireStep(each, record)
  const said = answers.find(({error}) => error !== undefined)?.['error']
  if (said !== undefined)
    return {
      failure: failed(
        `the program says: ${(typeof said === 'string' ? said : JSON.stringify(said)).slice(0, 1000)}`,
      ),
    }
  const records = answers.map((each) => recordOf(each, record))
  return {transformed: Array.isArray(answer) ? records : (records[0] ?? null)}
}

type Table = Readonly<Record<string, unknown>>

function tableOf(answer: unknown): Table {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) throw strange('no object')
  return answer as Table
}

function requireStep(answer: Table, record: ConsumedRecord): void {
  const {topic, partition, offset} = record
  for (const [name, value] of Object.entries({topic, partition, offset}))
    if (answer[name] !== undefined && answer[name] !== value)
      throw new StreamtoolError(
        'PROGRAM_OUT_OF_STEP',
        `The program answered ${topic}-${partition}@${offset} with a line of another ${name}: which answer belongs to which record cannot be told any more.`,
        {suggestions: ['It must write exactly one line for each record, in their order.']},
      )
}

function recordOf(answer: Table, record: ConsumedRecord): OutgoingRecord {
  const {text, value, key, headers, timestamp} = answer
  const base = forwarded(record)
  if (text !== undefined && typeof text !== 'string') throw strange('`text` is no text')
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) throw strange('`timestamp` is no number')
  const bytes = text === undefined ? bytesOf('value', value) : Buffer.from(text)
  const newKey = bytesOf('key', key)
  return {
    ...base,
    ...(bytes === undefined ? {} : {value: bytes === null ? null : [bytes]}),
    ...(newKey === undefined ? {} : {key: newKey}),
    ...(headers === undefined ? {} : {headers: headersOf(headers)}),
    ...(timestamp === undefined ? {} : {timestampMs: timestamp as number}),
  }
}

function headersOf(written: unknown): RecordHeader[] {
  if (!Array.isArray(written)) throw strange('`headers` is no list')
  return written.map((each: unknown) => {
    const [key, value] = Array.isArray(each) ? (each as unknown[]) : []
    if (typeof key !== 'string') throw strange('a header has no name')
    return {key, value: bytesOf('headers', value ?? null) ?? null}
  })
}

/** Undefined when it was left out. */
function bytesOf(name: string, written: unknown): Buffer | null | undefined {
  if (written === undefined || written === null) return written
  if (typeof written !== 'string' || !BASE64.test(written)) throw strange(`\`${name}\` is not base64`)
  return Buffer.from(written, 'base64')
}
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw strange('no JSON')
  }
}

const base64 = (bytes: Buffer | null) => bytes?.toString('base64') ?? null

const strange = (what: string) => failed(`the line that the program answered with cannot be used: ${what}`)
const failed = (message: string) => new StreamtoolError('PROCESSING_FAILED', message)

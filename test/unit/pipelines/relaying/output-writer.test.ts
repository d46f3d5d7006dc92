import {describe, expect, it} from 'vitest'
import {StreamtoolError} from '../../../../src/core/errors.js'
import type {OutgoingRecord, RecordProducer} from '../../../../src/core/ports/index.js'
import {OutputBinding} from '../../../../src/pipelines/relaying/binding.js'
import {OpenRecord} from '../../../../src/pipelines/relaying/open-record.js'
import {OutputWriter} from '../../../../src/pipelines/relaying/output-writer.js'

const textOf = ({value}: OutgoingRecord) => String(value?.[0])

/** A writer whose run ends late: its signal is never aborted. */
function writer(fault: (texts: readonly string[]) => Error | null, maxBatchBytes: number, goesOn = false) {
  const sent: string[] = []
  const done: number[] = []
  const told: string[] = []
  const producer = {
    async send({records}: Parameters<RecordProducer['send']>[0]) {
      const texts = records.map(textOf)
      const error = fault(texts)
      if (error !== null) throw error
      sent.push(...texts)
    },
  } as unknown as RecordProducer
  const binding = new OutputBinding()
  const written = new OutputWriter(
    {
      topic: 'out',
      producer,
      binding,
      maxBatchBytes,
      steps: {reached: () => undefined},
      onWritten: () => undefined,
      onRefused: async ({record: {offset}}) => {
        told.push(`refused ${offset}`)
        return goesOn
      },
      onFailed: (error) => told.push(error.message),
    },
    new AbortController().signal,
  )
  let offset = 0
  const write = (text: string, partition = 0) => {
    const record = {
      topic: 'in',
      partition: 0,
      offset: offset++,
      timestampMs: 0,
      key: null,
      value: Buffer.from(text),
      headers: [],
    }
    const open = new OpenRecord(record, {settled: (start) => done.push(start)})
    written.write(partition, {key: null, headers: [], value: [record.value]}, open)
    open.gotOne()
  }
  return {written, write, sent, done, told}
}

const failing = (text: string, error: Error) => (texts: readonly string[]) =>
  texts.includes(text) ? error : null
const tooLarge = new StreamtoolError('MESSAGE_TOO_LARGE', 'too large')

describe('what comes behind a record that cannot be sent', () => {
  it('is not sent either, however late the run ends', async () => {
    const {written, write, sent, done, told} = writer(failing('b', new Error('gone')), 1)
    for (const text of ['a', 'b', 'c']) write(text)
    write('other', 1)
    await written.records.atMost(0)
    write('d')
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(sent.toSorted()).toEqual(['a', 'other'])
    expect(done.toSorted()).toEqual([0, 3])
    expect(told).toEqual(['gone'])
    expect([written.records.value, written.bytes.value]).toEqual([0, 0])
  })

  it('does not overtake one that is too large and stops the run: it once did', async () => {
    const {written, write, sent, told} = writer(failing('big', tooLarge), 10_000)
    for (const text of ['a', 'big', 'c']) write(text)
    await written.records.atMost(0)
    expect(sent).toEqual(['a'])
    expect(told).toEqual(['refused 1'])
    expect(written.bytes.value).toBe(0)
  })

  it('follows when that has been dealt with', async () => {
    const {written, write, sent} = writer(failing('big', tooLarge), 10_000, true)
    for (const text of ['a', 'big', 'c']) write(text)
    await written.records.atMost(0)
    expect(sent).toEqual(['a', 'c'])
  })
})

import {describe, expect, it} from 'vitest'
import {BUILTIN_PROCESSORS} from '../../../../src/processors/builtin/index.js'
import {jsonMetadata} from '../../../../src/processors/builtin/json-metadata.js'
import {processedFile, processorContext} from '../../../support/processed-file.js'

describe('the built-in processors', () => {
  it.each([...BUILTIN_PROCESSORS])(
    '%s has the name and the description that the list says',
    async (name, each) => {
      const processor = await each.load()
      expect(processor.name).toBe(name)
      expect(processor.description).toBe(each.description)
      expect(processor).toHaveProperty('process')
    },
  )
})

describe('json-metadata', () => {
  it('returns the facts of the file, as JSON has them', async () => {
    const mtime = new Date('2026-01-02T03:04:05.678Z')
    const file = processedFile('run/ä b.csv', 'x', {mtime, chunks: 3, metadata: {operator: 'Zoë'}})
    const {sha512, idempotencyKey} = file
    expect(await jsonMetadata.process!(file, processorContext('/nowhere', {}))).toEqual({
      topic: 'files',
      path: 'run/ä b.csv',
      subdir: 'run',
      name: 'ä b.csv',
      size: 1,
      sha512,
      mtime: '2026-01-02T03:04:05.678Z',
      chunks: 3,
      metadata: {operator: 'Zoë'},
      idempotencyKey,
    })
  })

  it('says nothing of a time that nobody knows', async () => {
    expect(
      await jsonMetadata.process!(processedFile('a', ''), processorContext('/nowhere', {})),
    ).toMatchObject({
      mtime: null,
    })
  })
})

import {describe, expect, it} from 'vitest'
import {createMemoryDestination} from '../../../../src/adapters/memory/memory-destination.js'
import {incomingFile} from '../../../support/incoming-file.js'

describe('a memory destination', () => {
  it('keeps only what it is told to, and the facts of every file', async () => {
    for (const keepContent of [true, false]) {
      const destination = createMemoryDestination({keepContent})
      const content = Buffer.from('content')
      const file = incomingFile('a/f', content)
      const writer = await destination.open(file, new AbortController().signal)
      await writer.write(content)
      await writer.finish(content.length)
      expect([...destination.files]).toEqual([
        ['a/f', {file, sizeBytes: 7, content: keepContent ? content : null}],
      ])
    }
  })
})

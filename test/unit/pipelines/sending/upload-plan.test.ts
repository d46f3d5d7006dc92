import {expect, it} from 'vitest'
import type {SourceFile, SourceReader} from '../../../../src/core/ports/index.js'
import {planUpload} from '../../../../src/pipelines/sending/upload-plan.js'

const plan = (content: Buffer, sizeBytes: number) => {
  const identity = {sizeBytes, mtimeMs: 1, inode: '1'}
  const reader: SourceReader = {
    identify: async () => identity,
    read: async (buffer, position) => content.copy(buffer, 0, position),
    close: async () => undefined,
  }
  const file = {path: 'p', localPath: 'p', sizeBytes} as SourceFile
  return planUpload(file, reader, identity, {chunkBytes: 10, uploadId: 'u', metadata: {}})
}

it('a file that says it is empty and is not, as below /proc, is not sent as an empty one', async () => {
  expect(await plan(Buffer.from('content'), 0)).toBeNull()
  expect((await plan(Buffer.alloc(0), 0))?.split.count).toBe(1)
})

it('a file that ends before its size is none', async () => {
  expect(await plan(Buffer.alloc(15), 25)).toBeNull()
})

import {describe, expect, it} from 'vitest'
import {createMemorySpillStore} from '../../../../src/adapters/memory/memory-spill-store.js'
import {MultipartUpload, type UploadSite} from '../../../../src/adapters/s3/multipart-upload.js'
import {PartBuffer, PartMemory} from '../../../../src/adapters/s3/part-buffer.js'
import {ObjectRefused} from '../../../../src/adapters/s3/store-errors.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import {Semaphore} from '../../../../src/core/flow/index.js'

const never = new AbortController().signal

/** A store that goes on with a part although nobody waits for it, and keeps it, and so the upload, after Abort. */
function hastyStore() {
  const calls: string[] = []
  let isThere = true
  let begin = (): void => undefined
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const uploads = {
    putPart: (_: unknown, __: number, ___: unknown, {signal}: {signal: AbortSignal}) =>
      new Promise<never>((_resolve, reject) => {
        begin()
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
    abort: async () => {
      calls.push('abort')
      isThere = calls.filter((call) => call === 'abort').length < 2
    },
    listParts: async () => {
      calls.push('look')
      if (isThere) return []
      throw new ObjectRefused('no-upload', 'it is over', {})
    },
  }
  return {calls, begun, uploads}
}

describe('an upload that is given up', () => {
  const uploadOn = (uploads: object, lost = never) => {
    const site = {
      client: {uploads},
      journal: {orphans: new Set()},
      sending: new Semaphore(1 << 20),
      clock: systemClock,
      deadline: never,
      steps: {reached: () => undefined},
      whenStoreAllows: (work: () => Promise<unknown>) => work(),
    } as unknown as UploadSite
    const journaled = {entry: {key: 'k', writeId: 'w'}, lost, over: () => Promise.resolve()}
    return new MultipartUpload(site, journaled as never, 'u', [], never, null)
  }
  const part = async () => {
    const buffer = new PartBuffer(new PartMemory(createMemorySpillStore(), 1 << 20, 1 << 20, 1 << 20), never)
    await buffer.append(Buffer.from('content'))
    return buffer
  }

  it('is ended again when a part came late', async () => {
    const {calls, begun, uploads} = hastyStore()
    const upload = uploadOn(uploads)
    await upload.send(1, await part(), 'checksum')
    await begun
    await upload.abort()
    expect(calls).toEqual(['abort', 'look', 'abort', 'look'])
  })

  it('is not looked at again when no part was on its way', async () => {
    const {calls, uploads} = hastyStore()
    await uploadOn(uploads).abort()
    expect(calls).toEqual(['abort'])
  })

  it('is not ended when another process goes on with it', async () => {
    const {calls, begun, uploads} = hastyStore()
    const taken = new AbortController()
    const upload = uploadOn(uploads, taken.signal)
    await upload.send(1, await part(), 'checksum')
    await begun
    const reason = new Error('taken')
    taken.abort(reason)
    await expect(upload.allSent()).rejects.toBe(reason)
    await upload.abort()
    expect(calls).toEqual([])
  })
})

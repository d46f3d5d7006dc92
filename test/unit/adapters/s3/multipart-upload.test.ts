import {describe, expect, it} from 'vitest'
import {createMemorySpillStore} from '../../../../src/adapters/memory/memory-spill-store.js'
import {MultipartUpload, type UploadSite} from '../../../../src/adapters/s3/multipart-upload.js'
import {PartBuffer, PartMemory} from '../../../../src/adapters/s3/part-buffer.js'
import {ObjectRefused} from '../../../../src/adapters/s3/store-errors.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import {Semaphore} from '../../../../src/core/flow/index.js'

const never = new AbortController().signal

/**
 * A store that goes on with a part although nobody waits for it, and keeps it, and so the upload, after Abort.
 * @param arrivesAtLook so often it was looked in vain before
 */
function hastyStore(arrivesAtLook = 1) {
  const calls: string[] = []
  const timesCalled = (name: string) => calls.filter((call) => call === name).length
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
    },
    listParts: async () => {
      calls.push('look')
      const [looks, aborts] = [timesCalled('look'), timesCalled('abort')]
      if (looks >= arrivesAtLook && aborts < 2) return []
      throw new ObjectRefused('no-upload', 'it is over', {})
    },
  }
  return {calls, begun, uploads}
}

describe('an upload that is given up', () => {
  const orphans = new Set<unknown>()
  let isOver = false
  const uploadOn = (uploads: object, {lost = never, signal = never} = {}) => {
    orphans.clear()
    isOver = false
    const site = {
      client: {uploads},
      journal: {orphans},
      sending: new Semaphore(1 << 20),
      clock: systemClock,
      deadline: never,
      steps: {reached: () => undefined},
      whenStoreAllows: (work: () => Promise<unknown>) => work(),
    } as unknown as UploadSite
    const over = async () => void (isOver = true)
    const journaled = {entry: {key: 'k', writeId: 'w'}, lost, over}
    return new MultipartUpload(site, journaled as never, 'u', [], signal, null)
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
    expect(calls).toEqual(['abort', 'look', 'abort', 'look', 'look'])
    expect(isOver).toBe(true)
  })

  it('is ended again when a part came later than the first look: that one was once believed', async () => {
    const {calls, begun, uploads} = hastyStore(3)
    const upload = uploadOn(uploads)
    await upload.send(1, await part(), 'checksum')
    await begun
    await upload.abort()
    expect(calls).toEqual(['abort', 'look', 'look', 'look', 'abort'])
  })

  it("is looked at again when the file's signal ended its part before it was aborted: that was once not seen", async () => {
    const {calls, begun, uploads} = hastyStore()
    const file = new AbortController()
    const upload = uploadOn(uploads, {signal: file.signal})
    await upload.send(1, await part(), 'checksum')
    await begun
    file.abort(new Error('given up'))
    await expect(upload.allSent()).rejects.toThrow('given up')
    await upload.abort()
    expect(calls).toEqual(['abort', 'look', 'abort', 'look', 'look'])
  })

  it('stays in the journal when it cannot be seen whether a part came late', async () => {
    const {begun, uploads} = hastyStore()
    const away = new Error('the store is away')
    const upload = uploadOn({...uploads, listParts: () => Promise.reject(away)})
    await upload.send(1, await part(), 'checksum')
    await begun
    await expect(upload.abort()).rejects.toBe(away)
    expect(orphans.size).toBe(1)
    expect(isOver).toBe(false)
  })

  it('is not looked at again when no part was on its way', async () => {
    const {calls, uploads} = hastyStore()
    await uploadOn(uploads).abort()
    expect(calls).toEqual(['abort'])
  })

  it('is not ended when another process goes on with it', async () => {
    const {calls, begun, uploads} = hastyStore()
    const taken = new AbortController()
    const upload = uploadOn(uploads, {lost: taken.signal})
    await upload.send(1, await part(), 'checksum')
    await begun
    const reason = new Error('taken')
    taken.abort(reason)
    await expect(upload.allSent()).rejects.toBe(reason)
    await upload.abort()
    expect(calls).toEqual([])
  })
})

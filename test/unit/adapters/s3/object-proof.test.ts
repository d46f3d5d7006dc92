/** What a store is asked to verify, to encrypt with, and to keep of an object. */
import {randomBytes} from 'node:crypto'
import {HeadObjectCommand} from '@aws-sdk/client-s3'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {probeKey} from '../../../../src/adapters/s3/capabilities.js'
import {CHECKSUM_NAMES, checksumOf} from '../../../../src/adapters/s3/checksum.js'
import {shortcomings} from '../../../../src/adapters/s3/index.js'
import {type ProcessIdentity, thisProcess} from '../../../../src/adapters/system/process-identity.js'
import {incomingFile} from '../../../support/incoming-file.js'
import {s3Client} from '../../../support/s3-client.js'
import {
  BUCKET,
  type DestinationOptions,
  type Intercept,
  openBucketOn,
  PART_BYTES,
  startStore,
  type StoreUnderTest,
} from '../../../support/s3/bucket-under-test.js'
import {writeWhole} from '../../../support/s3/fault-matrix.js'

let store: StoreUnderTest
beforeAll(async () => {
  store = await startStore()
})
afterAll(() => store.close())

const headOf = async (Key: string) => {
  const client = s3Client({...store, region: 'us-east-1'})
  const found = await client.send(new HeadObjectCommand({Bucket: BUCKET, Key, ChecksumMode: 'ENABLED'}))
  client.destroy()
  return found
}
const deliver = async (options: DestinationOptions, path: string, content: Buffer, facts = {}) => {
  const opened = await openBucketOn(store, options)
  try {
    return await writeWhole(opened, incomingFile(path, content, {chunkCount: 6, ...facts}), content)
  } finally {
    await opened.destination.close()
  }
}
const SMALL = Buffer.from('small')
const LARGE = randomBytes(PART_BYTES + 5)

describe.each(CHECKSUM_NAMES)('--checksum %s', (checksum) => {
  it.each([
    ['in one piece', SMALL],
    ['in parts', LARGE],
  ])('is that of the whole object, sent %s, and is kept', async (how, content) => {
    const path = `${checksum}/${how}`
    expect(await deliver({checksum}, path, content)).toBe('delivered')
    expect(await headOf(path)).toMatchObject({
      ChecksumType: 'FULL_OBJECT',
      [`Checksum${checksum}`]: checksumOf(checksum, content),
    })
    expect(await deliver({checksum}, path, content)).toBe('unchanged')
    // Known again under each of the others.
    expect(await deliver({checksum: 'CRC32'}, path, content)).toBe('unchanged')
  })

  it.each([
    ['PutObject', SMALL],
    ['UploadPart', LARGE],
  ] as const)('lets the store refuse what was changed on the way (%s)', async (operation, content) => {
    const path = `${checksum}/changed/${operation}`
    store.faults.set(path, (call) =>
      call.phase === 'before' && call.operation === operation ? {kind: 'corrupted'} : undefined,
    )
    await expect(deliver({checksum, isKnown: true}, path, content)).rejects.toMatchObject({
      code: 'OBJECT_CORRUPTED',
    })
    expect(await store.object(path)).toBeNull()
    expect(await store.pendingUploads(path)).toEqual([])
  })
})

it('a store that does not know the checksum gets a CRC-32, and it is said', async () => {
  const probes: string[] = []
  const prefix = 'not-known/'
  const {client, destination} = await openBucketOn(store, {isKnown: true})
  const {findCapabilities, probeKey} = await import('../../../../src/adapters/s3/capabilities.js')
  store.faults.set(probeKey(prefix), ({operation, phase}) => {
    if (phase === 'before') probes.push(operation)
    return probes.length === 1 ? {kind: 'error', status: 501, code: 'NotImplemented'} : undefined
  })
  const found = await findCapabilities(client, prefix, {wanted: 'CRC64NVME'})
  expect(found).toMatchObject({checksum: 'CRC32', perRequest: true, wholeObject: true, readsBack: false})
  expect(client.checksums).toEqual({name: 'CRC32', perRequest: true, wholeObject: true})
  expect(shortcomings(found)).toEqual(['The store does not check a CRC-64/NVME: CRC-32 is used instead.'])
  await destination.close()
})

it('an upload of a process that died while it tried the store out is ended by the next', async () => {
  const prefix = 'died/'
  const {client, destination} = await openBucketOn(store, {isKnown: true})
  const {findCapabilities, probeKey, probeUploadKey} =
    await import('../../../../src/adapters/s3/capabilities.js')
  const named = (identity: Partial<ProcessIdentity>) =>
    probeUploadKey(probeKey(prefix), {...thisProcess(), ...identity})
  // Above what Linux gives to processes; and of a container that nobody here can look into.
  const dead = [named({pid: 4194999}), named({startTime: '1'})]
  const others = [named({pid: process.ppid, startTime: null}), named({pid: 4194999, pidSpace: 'elsewhere'})]
  for (const key of [...dead, ...others]) await client.uploads.create(key, {})
  await findCapabilities(client, prefix, {wanted: 'CRC32'})
  expect(new Set(await store.pendingUploads(prefix))).toEqual(new Set(others))
  await destination.close()
})

it('a refusal that is lost with its connection, again and again, is found out by looking', async () => {
  const path = 'refused/early'
  const content = Buffer.alloc(5000, 'x')
  const opened = await openBucketOn(store, {isKnown: true})
  const file = incomingFile(path, content)
  expect(await writeWhole(opened, file, content)).toBe('delivered')
  store.faults.set(path, ({operation, phase}) =>
    operation === 'PutObject' && phase === 'before' ? {kind: 'reset'} : undefined,
  )
  expect(await writeWhole(opened, file, content)).toBe('unchanged')
  store.faults.delete(path)
  await opened.destination.close()
})

it('so is one of an object that somebody replaced meanwhile', async () => {
  const path = 'refused/replaced'
  const [first, other, second] = [Buffer.from('first'), Buffer.from('other'), Buffer.from('second')]
  const opened = await openBucketOn(store, {isKnown: true})
  const elsewhere = await openBucketOn(store, {isKnown: true})
  await writeWhole(opened, incomingFile(path, first, {offset: 1}), first)
  let hangsUp = false
  const faults: Intercept = async ({operation, phase}) => {
    if (operation === 'HeadObject' && phase === 'after' && !hangsUp) {
      store.faults.delete(path)
      await writeWhole(elsewhere, incomingFile(path, other, {offset: 2}), other)
      store.faults.set(path, faults)
      hangsUp = true
    } else if (operation === 'HeadObject' && hangsUp) store.faults.delete(path)
    return operation === 'PutObject' && phase === 'before' && hangsUp ? {kind: 'reset'} : undefined
  }
  store.faults.set(path, faults)
  expect(await writeWhole(opened, incomingFile(path, second, {offset: 3}), second)).toBe('delivered')
  expect((await store.object(path))?.equals(second)).toBe(true)
  await opened.destination.close()
  await elsewhere.destination.close()
})

describe('--metadata-sha256', () => {
  it('is in the metadata of an object that is sent in one piece', async () => {
    await deliver({sha256: true, isKnown: true}, 'sha256/small', SMALL)
    expect(await store.metadata('sha256/small')).toMatchObject({
      sha256: '81db8ebbbbc69c6c6ad4a6aa92b76e0c08af547da236b9e2c9dbe1d8285a8130',
    })
  })

  it('is not in that of one in parts, unless the uploader said it: then it is compared', async () => {
    await deliver({sha256: true, isKnown: true}, 'sha256/large', LARGE)
    expect(await store.metadata('sha256/large')).not.toHaveProperty('sha256')
    const wrong = {metadata: {sha256: '0'.repeat(64)}}
    await expect(deliver({sha256: true, isKnown: true}, 'sha256/wrong', LARGE, wrong)).rejects.toMatchObject({
      code: 'FILE_CRC_MISMATCH',
    })
    expect(await store.object('sha256/wrong')).toBeNull()
  })
})

describe('--sse-c-key-file', () => {
  const [customerKey, otherKey] = [randomBytes(32), randomBytes(32)]

  it.each([
    ['one piece', SMALL],
    ['parts', LARGE],
  ])('objects in %s are read with the same key only', async (how, content) => {
    const path = `sse-c/${how}`
    expect(await deliver({customerKey}, path, content)).toBe('delivered')
    await expect(store.object(path)).rejects.toMatchObject({name: 'InvalidRequest'})
    expect(await deliver({customerKey}, path, content)).toBe('unchanged')
    await expect(deliver({customerKey: otherKey}, path, content)).rejects.toMatchObject({
      code: 'STORE_FORBIDDEN',
    })
  })

  it('replaces an older content that was not encrypted', async () => {
    await deliver({}, 'sse-c/older', Buffer.from('older'), {offset: 1, uploadId: 'a'})
    expect(await deliver({customerKey}, 'sse-c/older', SMALL, {offset: 2, uploadId: 'b'})).toBe('delivered')
    await expect(store.object('sse-c/older')).rejects.toMatchObject({name: 'InvalidRequest'})
  })

  it.each([
    ['knows none', false, 501, 'NotImplemented'],
    ['takes none but over TLS', false, 400, 'InvalidRequest'],
    ['allows none in this bucket, as AWS does', true, 403, 'AccessDenied'],
  ])('ends the run before any file is sent where the store %s', async (_, isKnown, status, code) => {
    const key = probeKey('')
    store.faults.set(key, ({operation, phase}) =>
      operation === 'PutObject' && phase === 'before' ? {kind: 'error', status, code} : undefined,
    )
    await expect(openBucketOn(store, {customerKey, isKnown})).rejects.toMatchObject({
      code: 'STORE_FORBIDDEN',
      exitCode: 3,
      message: expect.stringMatching(new RegExp(`SSE-C.*${code}`)) as string,
    })
    store.faults.delete(key)
  })

  it('reads back what a store without checksums was sent', async () => {
    expect(await deliver({customerKey, checksum: null}, 'sse-c/read-back', SMALL)).toBe('delivered')
  })
})

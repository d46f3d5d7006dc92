import {randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {readdirSync} from 'node:fs'
import {connect} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import {describe, expect, it, onTestFinished} from 'vitest'
import {type Account, type RunningBucket, startBucket} from '../../../../src/sandbox/bucket/index.js'
import {runTestChild} from '../../../support/child-process.js'
import {deferred, eventually} from '../../../support/eventually.js'
import {recordedLog} from '../../../support/quiet.js'
import {signedChunks} from '../../../support/s3-chunked.js'
import {type S3Access, s3Client} from '../../../support/s3-client.js'
import {sendRaw, signedHeaders} from '../../../support/s3-raw.js'
import {temporaryBucket} from '../../../support/sandbox/temporary-bucket.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const Bucket = 'files'

/** What the tests do with a store. */
function using(access: S3Access) {
  const client = s3Client(access)
  onTestFinished(() => client.destroy())
  return {
    client,
    put: (Key: string, Body: string | Buffer, options: Partial<PutObjectCommandInput> = {}) =>
      client.send(new PutObjectCommand({Bucket, Key, Body, ...options})),
    head: (Key: string) => client.send(new HeadObjectCommand({Bucket, Key})),
    read: async (Key: string) => {
      const {Body} = await client.send(new GetObjectCommand({Bucket, Key}))
      return Body!.transformToString()
    },
  }
}

const dataFiles = (dir: string) => readdirSync(join(dir, 'buckets', Bucket, 'data'))

describe('the bucket', () => {
  it('listens on the loopback interface, and keeps credentials and data over a restart', async () => {
    const dir = await temporaryDirectory()
    const first = await temporaryBucket({dir})
    expect(first.endpoint).toBe(`http://127.0.0.1:${first.port}`)
    await using(first).put('a', 'kept')
    await first.close()
    const second = await temporaryBucket({dir})
    expect([second.accessKeyId, second.secretAccessKey]).toEqual([first.accessKeyId, first.secretAccessKey])
    expect(await using(second).read('a')).toBe('kept')
    const other = await temporaryBucket()
    expect(other.secretAccessKey).not.toBe(first.secretAccessKey)
  })

  it('refuses to listen where something else does, as the system says it', async () => {
    const {port} = await temporaryBucket()
    const second = startBucket({dir: await temporaryDirectory(), port, logger: recordedLog()})
    await expect(second).rejects.toMatchObject({code: 'EADDRINUSE', syscall: 'listen'})
  })

  it('knows other accounts, also temporary ones that end', async () => {
    const accounts: Account[] = [
      {accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't', expiresMs: Infinity},
    ]
    const bucket = await temporaryBucket({accounts: () => accounts})
    const head = (token: string) =>
      sendRaw({...bucket, ...accounts[0]!}, {path: `/${Bucket}`, headers: {'x-amz-security-token': token}})
    expect((await head('t')).status).toBe(200)
    expect(await head('other')).toMatchObject({status: 400, code: 'InvalidToken'})
    accounts[0] = {...accounts[0]!, expiresMs: Date.now() - 1}
    expect(await head('t')).toMatchObject({status: 400, code: 'ExpiredToken'})
  })

  it('refuses what it does not have, and never passes over it', async () => {
    const bucket = await temporaryBucket()
    const refusal = async (method: string, path: string, headers: Record<string, string> = {}) => {
      const {code} = await sendRaw(bucket, {method, path, headers})
      return code
    }
    expect(await refusal('GET', '/files?policy')).toBe('NotImplemented')
    expect(await refusal('PUT', '/files/a?acl')).toBe('NotImplemented')
    expect(await refusal('GET', '/files/a?versionId=1')).toBe('NotImplemented')
    expect(await refusal('POST', '/files/a')).toBe('MethodNotAllowed')
    expect(await refusal('PUT', '/files/a', {'x-amz-acl': 'public-read'})).toBe(
      'AccessControlListNotSupported',
    )
    expect(await refusal('PUT', '/files/a', {'x-amz-object-lock-mode': 'GOVERNANCE'})).toBe('InvalidRequest')
    expect(await refusal('PUT', '/files/a', {'x-amz-storage-class': 'CHEAP'})).toBe('InvalidStorageClass')
    expect(await refusal('PUT', '/files/a', {'x-amz-expected-bucket-owner': '1'.repeat(12)})).toBe(
      'AccessDenied',
    )
    const copied = await refusal('PUT', '/files/a?partNumber=1&uploadId=u', {'x-amz-copy-source': 'files/b'})
    expect(copied).toBe('NotImplemented')
  })

  it('keeps storage class and encryption; what is archived cannot be read; a KMS ETag is no MD5', async () => {
    const {put, head, read} = using(await temporaryBucket())
    await put('cold', 'x', {StorageClass: 'DEEP_ARCHIVE'})
    expect(await head('cold')).toMatchObject({StorageClass: 'DEEP_ARCHIVE'})
    await expect(read('cold')).rejects.toMatchObject({name: 'InvalidObjectState'})
    const encryption = {ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/key'} as const
    const [a, b] = [await put('a', 'x', encryption), await put('b', 'x', encryption)]
    expect([a, await head('a')]).toEqual([
      expect.objectContaining(encryption),
      expect.objectContaining(encryption),
    ])
    expect(a.ETag).not.toBe(b.ETag)
  })

  it('copies an object onto itself only with something changed', async () => {
    const {client, put, head, read} = using(await temporaryBucket())
    await put('a', 'content', {Metadata: {is: 'old'}})
    const copy = (options: object) =>
      client.send(new CopyObjectCommand({Bucket, Key: 'a', CopySource: 'files/a', ...options}))
    await expect(copy({})).rejects.toMatchObject({name: 'InvalidRequest'})
    await copy({MetadataDirective: 'REPLACE', Metadata: {is: 'new'}})
    expect([await read('a'), (await head('a')).Metadata]).toEqual(['content', {is: 'new'}])
  })

  it('answers 409 when an object appears during a conditional write', async () => {
    const bucket = await temporaryBucket({
      intercept: ({phase, key, count}) =>
        phase === 'before' && key === 'a' && count === 1 ? {kind: 'slow', bytesPerSecond: 2000} : undefined,
    })
    const {put, read} = using(bucket)
    const slow = put('a', Buffer.alloc(1000), {IfNoneMatch: '*'})
    const refused = expect(slow).rejects.toMatchObject({name: 'ConditionalRequestConflict'})
    await new Promise((resolve) => setTimeout(resolve, 100))
    await put('a', 'faster', {IfNoneMatch: '*'})
    await refused
    expect(await read('a')).toBe('faster')
  })

  it('leaves nothing of a body that does not come to its end', async () => {
    const dir = await temporaryDirectory()
    const bucket = await temporaryBucket({dir})
    const body = randomBytes(100_000)
    const headers = signedHeaders(bucket, {method: 'PUT', path: '/files/cut', body})
    const lines = Object.entries({...headers, 'content-length': body.length}).map(
      ([name, value]) => `${name}: ${value}`,
    )
    const socket = connect(bucket.port, '127.0.0.1')
    socket.write(`PUT /files/cut HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    socket.write(body.subarray(0, 50_000))
    await eventually('it is being stored', () => dataFiles(dir).length === 1)
    socket.destroy()
    await eventually('nothing is left', () => dataFiles(dir).length === 0)
    await expect(using(bucket).head('cut')).rejects.toMatchObject({name: 'NotFound'})
  })

  it('answers also when it refuses a body before its end, and goes on with the connection', async () => {
    const dir = await temporaryDirectory()
    const bucket = await temporaryBucket({dir})
    const body = Buffer.alloc(5 * 1024 ** 2)
    const unsigned = await sendRaw(bucket, {
      ...{method: 'PUT', path: '/files/a', payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'},
      headers: {'x-amz-decoded-content-length': String(body.length)},
      bodyFor: (signed) =>
        signedChunks({...signed, signature: '0'.repeat(64)}, [body.subarray(0, 9000), body]),
    })
    expect(unsigned).toMatchObject({status: 403, code: 'SignatureDoesNotMatch'})
    const noChunks = await sendRaw(bucket, {
      ...{method: 'PUT', path: '/files/a', payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', body},
      headers: {'x-amz-decoded-content-length': String(body.length)},
    })
    expect(noChunks).toMatchObject({status: 400, code: 'IncompleteBody'})
    const {put} = using(bucket)
    await put('a', 'x')
    const refused = put('a', body, {IfNoneMatch: '*'})
    await expect(refused).rejects.toMatchObject({name: 'PreconditionFailed'})
    expect(dataFiles(dir)).toHaveLength(1)
  })

  it('closes with requests under way, and lets them leave nothing half', async () => {
    const dir = await temporaryDirectory()
    const begun = deferred()
    const bucket = await temporaryBucket({
      dir,
      intercept: () => {
        begun.resolve()
        return {kind: 'slow', bytesPerSecond: 10}
      },
    })
    const slow = using(bucket).put('slow', Buffer.alloc(1000))
    const failed = expect(slow).rejects.toThrow()
    await begun.promise
    await bucket.close()
    await failed
    expect(dataFiles(dir)).toEqual([])
  })
})

describe('what is no request', () => {
  const say = async ({port}: RunningBucket, text: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    let answer = ''
    socket.on('data', (data) => (answer += data.toString()))
    socket.write(text)
    await once(socket, 'close')
    return answer
  }

  it('is refused, and the next one is served', async () => {
    const bucket = await temporaryBucket()
    expect(await say(bucket, '\u0016\u0003\u0001 hello\r\n\r\n')).toContain('<Code>InvalidRequest</Code>')
    const long = `GET / HTTP/1.1\r\nHost: a\r\nX-Amz-Meta-A: ${'x'.repeat(20_000)}\r\n\r\n`
    expect(await say(bucket, long)).toContain('<Code>RequestHeaderSectionTooLarge</Code>')
    const authorization = `Authorization: AWS4-HMAC-SHA256 ${'Credential=,'.repeat(500)}`
    const malformed = `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Amz-Date: 20260101T000000Z\r\n${authorization}\r\n\r\n`
    expect(await say(bucket, malformed)).toContain('<Code>AuthorizationHeaderMalformed</Code>')
    await using(bucket).put('a', 'x')
  })
})

describe('a fault that a test asks for', () => {
  it('comes in place of the call, or after it took effect', async () => {
    const error = {kind: 'error', status: 503, code: 'SlowDown', headers: {'retry-after': '1'}} as const
    for (const phase of ['before', 'after'] as const) {
      const bucket = await temporaryBucket({
        intercept: (call) => (call.operation === 'PutObject' && call.phase === phase ? error : undefined),
      })
      const {put, head} = using(bucket)
      await expect(put('a', 'x')).rejects.toMatchObject({name: 'SlowDown', $metadata: {httpStatusCode: 503}})
      const there = await head('a').then(
        () => true,
        () => false,
      )
      expect(there).toBe(phase === 'after')
    }
  })

  it.each(['reset', 'truncated'] as const)('is a connection that is %s', async (kind) => {
    const bucket = await temporaryBucket({
      intercept: ({phase, operation}) =>
        phase === 'after' && operation !== 'HeadObject' ? {kind} : undefined,
    })
    const {put, read, head} = using(bucket)
    await expect(put('a', 'content')).rejects.toThrow()
    expect(await head('a')).toMatchObject({ContentLength: 7})
    await expect(read('a')).rejects.toThrow()
  })

  it('is 200 with an error in the body', async () => {
    const bucket = await temporaryBucket({
      intercept: ({phase, operation, count}) =>
        operation === 'CompleteMultipartUpload' && phase === 'before' && count === 1
          ? {kind: 'error-in-200', code: 'InternalError'}
          : undefined,
    })
    const {client, read} = using(bucket)
    const {UploadId} = await client.send(new CreateMultipartUploadCommand({Bucket, Key: 'a'}))
    const part = {Bucket, Key: 'a', UploadId, PartNumber: 1}
    const {ETag, ChecksumCRC32} = await client.send(new UploadPartCommand({...part, Body: 'x'}))
    const Parts = [{PartNumber: 1, ETag, ChecksumCRC32}]
    const complete = () =>
      client.send(new CompleteMultipartUploadCommand({...part, MultipartUpload: {Parts}}))
    await expect(complete()).rejects.toMatchObject({name: 'InternalError'})
    await complete()
    expect(await read('a')).toBe('x')
  })

  it('is silence', async () => {
    const bucket = await temporaryBucket({intercept: () => ({kind: 'silence'})})
    const client = s3Client(bucket, {requestHandler: {requestTimeout: 200, throwOnRequestTimeout: true}})
    onTestFinished(() => client.destroy())
    const unanswered = client.send(new HeadObjectCommand({Bucket, Key: 'a'}))
    await expect(unanswered).rejects.toMatchObject({name: 'TimeoutError'})
  })

  it('is silence towards a client that has gone already, and keeps no bucket from closing', async () => {
    const isGone = deferred()
    const bucket = await temporaryBucket({
      intercept: () => isGone.promise.then(() => ({kind: 'silence'})),
    })
    const client = s3Client(bucket, {requestHandler: {requestTimeout: 50, throwOnRequestTimeout: true}})
    onTestFinished(() => client.destroy())
    await expect(client.send(new HeadObjectCommand({Bucket, Key: 'a'}))).rejects.toThrow()
    await sleep(50)
    isGone.resolve()
    await bucket.close()
  })

  it('is an answer that comes slowly', async () => {
    const bucket = await temporaryBucket({
      intercept: ({phase, operation}) =>
        phase === 'after' && operation === 'GetObject' ? {kind: 'slow', bytesPerSecond: 5000} : undefined,
    })
    const {put, read} = using(bucket)
    await put('a', 'x'.repeat(1500))
    const started = performance.now()
    expect(await read('a')).toHaveLength(1500)
    expect(performance.now() - started).toBeGreaterThan(200)
  })

  it('is a bit that flips on the way, which the store sees', async () => {
    const bucket = await temporaryBucket({
      intercept: ({phase}) => (phase === 'before' ? {kind: 'corrupted'} : undefined),
    })
    await expect(using(bucket).put('a', 'content')).rejects.toMatchObject({name: 'XAmzContentSHA256Mismatch'})
  })
})

describe('kill -9', () => {
  it('while writing loses nothing that was answered, and leaves nothing half', async () => {
    const dir = await temporaryDirectory()
    const written = new Map<string, string>()
    for (let round = 0; round < 2; round++) {
      const child = runTestChild('test/support/sandbox/bucket-process.ts', [dir])
      await child.printed(1)
      const {put, client, read} = using(JSON.parse(child.lines[0]!) as S3Access)
      for (const [key, content] of written) expect(await read(key)).toBe(content)
      let answered = 0
      const lane = async (name: string) => {
        for (let count = 0; ; count++) {
          const key = `${name}/${count % 8}`
          const content = `${round} ${name} ${count} `.repeat(1 + ((count * 997) % 3000))
          written.delete(key)
          if (count % 3 > 0) await put(key, content)
          else {
            const {UploadId} = await client.send(new CreateMultipartUploadCommand({Bucket, Key: key}))
            const part = {Bucket, Key: key, UploadId, PartNumber: 1}
            const {ETag, ChecksumCRC32} = await client.send(new UploadPartCommand({...part, Body: content}))
            const Parts = [{PartNumber: 1, ETag, ChecksumCRC32}]
            await client.send(new CompleteMultipartUploadCommand({...part, MultipartUpload: {Parts}}))
          }
          written.set(key, content)
          answered++
        }
      }
      const ended = Promise.allSettled(['a', 'b', 'c', 'd'].map(lane))
      await eventually('enough is written', () => answered >= 50)
      await child.kill()
      for (const {status} of await ended) expect(status).toBe('rejected')
    }
    const bucket = await temporaryBucket({dir})
    const {read} = using(bucket)
    for (const [key, content] of written) expect(await read(key)).toBe(content)
    expect(written.size).toBeGreaterThan(20)
    // Each of the 32 keys has one; what was not answered may or may not be there.
    expect(dataFiles(dir).length).toBeLessThanOrEqual(32 + 2 * 4)
  }, 120_000)
})

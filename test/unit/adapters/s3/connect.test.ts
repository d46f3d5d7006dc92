import {readFile} from 'node:fs/promises'
import {createServer as createPlainServer, type RequestListener} from 'node:http'
import {createServer as createTlsServer} from 'node:https'
import type {AddressInfo} from 'node:net'
import {describe, expect, it, onTestFinished, vi} from 'vitest'
import {connectBucket} from '../../../../src/adapters/s3/connect.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'

const CONTENT = Buffer.from('content')
const SHA256_OF_CONTENT = 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73'
const tlsFile = (name: string) => readFile(new URL(`../../../fixtures/tls/${name}`, import.meta.url))

/** What a store on loopback is told of the body of an object. */
async function hashSentTo(protocol: 'http' | 'https'): Promise<string | undefined> {
  let hash: string | undefined
  const listener: RequestListener = (request, response) => {
    hash = request.headers['x-amz-content-sha256'] as string | undefined
    request.resume().once('end', () => response.setHeader('etag', '"1"').end())
  }
  const [cert, key] = await Promise.all([tlsFile('broker.pem'), tlsFile('broker.key')])
  const server = protocol === 'http' ? createPlainServer(listener) : createTlsServer({cert, key}, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const {client} = await connectBucket(
    {
      bucket: 'b',
      endpointUrl: `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ...{region: 'eu-central-1', accessKeyId: 'a', secretAccessKey: 'b', pathStyle: true},
      ...{concurrency: 1, silenceMs: 10_000},
    },
    systemClock,
  )
  await client.put('k', {content: CONTENT, checksum: 'AAAAAA=='}, null, {})
  client.close()
  return hash
}

describe('a bucket that is connected to', () => {
  it('is sent bodies unsigned through TLS, and signed in plain text', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(await hashSentTo('https')).toBe('UNSIGNED-PAYLOAD')
    expect(await hashSentTo('http')).toBe(SHA256_OF_CONTENT)
  })
})

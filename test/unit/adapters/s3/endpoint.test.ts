import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'
import {connectBucket} from '../../../../src/adapters/s3/index.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const CONFIG = `
[default]
region = eu-central-1

[profile lab]
region = eu-west-1
endpoint_url = https://lab.example.org

[profile sections]
region = eu-west-1
services = ours
endpoint_url = https://all.example.org

[profile elsewhere]
region = eu-west-1
services = not-there

[profile ignoring]
region = eu-west-1
ignore_configured_endpoint_urls = true
endpoint_url = https://ignored.example.org

[services ours]
dynamodb =
  endpoint_url = https://dynamodb.example.org
s3 =
  endpoint_url = https://s3.example.org
`
const VARIABLES = [
  'AWS_ENDPOINT_URL_S3',
  'AWS_ENDPOINT_URL',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
  'AWS_PROFILE',
  'AWS_REGION',
]

beforeEach(async () => {
  const home = await temporaryDirectory()
  await writeFile(join(home, 'config'), CONFIG)
  await writeFile(join(home, 'credentials'), '[keys]\nendpoint_url = https://keys.example.org\n')
  for (const name of VARIABLES) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_CONFIG_FILE', join(home, 'config'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(home, 'credentials'))
})
afterEach(() => vi.unstubAllEnvs())

/** Null is AWS. */
async function endpointOf(place: {endpointUrl?: string; profile?: string} = {}): Promise<string | null> {
  const {client, endpoint} = await connectBucket(
    {bucket: 'files', concurrency: 1, silenceMs: 1000, accessKeyId: 'a', secretAccessKey: 'b', ...place},
    systemClock,
  )
  client.close()
  return endpoint
}

describe('the store is', () => {
  it('AWS when nobody names another', async () => {
    expect(await endpointOf()).toBeNull()
  })

  it.each(['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'])('the one that %s names', async (name) => {
    vi.stubEnv(name, 'https://env.example.org:9000')
    expect(await endpointOf()).toBe('https://env.example.org:9000')
    expect(await endpointOf({profile: 'lab'})).toBe('https://env.example.org:9000')
    expect(await endpointOf({endpointUrl: 'http://given.example.org'})).toBe('http://given.example.org')
  })

  it('the one for S3 alone, when there is one for all services too', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'https://all.example.org')
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'https://s3.example.org')
    expect(await endpointOf()).toBe('https://s3.example.org')
  })

  it.each([
    ['lab', 'https://lab.example.org'],
    ['sections', 'https://s3.example.org'],
    ['keys', 'https://keys.example.org'],
  ])('the one that the profile %s names, given or by AWS_PROFILE', async (profile, url) => {
    expect(await endpointOf({profile})).toBe(url)
    vi.stubEnv('AWS_PROFILE', profile)
    expect(await endpointOf()).toBe(url)
  })

  it('AWS when configured endpoints are to be ignored', async () => {
    expect(await endpointOf({profile: 'ignoring'})).toBeNull()
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'https://env.example.org')
    vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'true')
    vi.stubEnv('AWS_REGION', 'eu-west-1')
    expect(await endpointOf()).toBeNull()
    expect(await endpointOf({profile: 'lab'})).toBeNull()
    expect(await endpointOf({endpointUrl: 'https://given.example.org'})).toBe('https://given.example.org')
  })

  it('refused when what names it is no URL, or is not there', async () => {
    await expect(endpointOf({profile: 'elsewhere'})).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      message: expect.stringContaining('[services not-there]') as string,
    })
    vi.stubEnv('AWS_ENDPOINT_URL', 'lab.example.org')
    await expect(endpointOf()).rejects.toMatchObject({
      code: 'SETTING_INVALID',
      message: expect.stringContaining('AWS_ENDPOINT_URL is not') as string,
    })
  })
})

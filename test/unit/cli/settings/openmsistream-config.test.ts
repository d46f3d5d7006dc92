import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {s3TransferSettings, uploadSettings} from '../../../../src/cli/settings/catalog.js'
import {parseIni} from '../../../../src/cli/settings/openmsistream-config.js'
import {resolveSettings} from '../../../../src/cli/settings/resolve.js'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ini-'))
})
afterEach(() => rm(dir, {recursive: true, force: true}))

const TYPICAL = `
# a broker in the cloud
[DEFAULT]
host = kafka.example.org
[broker]
bootstrap.servers = $BROKER_HOST:9092
security.protocol: SASL_SSL
sasl.mechanism = PLAIN
sasl.username = %(host)s-user
sasl.password = 123456%%
debug = all

[producer]
batch.size = 2000000
key.serializer = StringSerializer
[consumer]
group.id = create_new
auto.offset.reset = earliest
`

async function resolved(
  text: string,
  env: NodeJS.ProcessEnv = {BROKER_HOST: 'kafka-1'},
  named = 'test.config',
) {
  await writeFile(join(dir, 'test.config'), text)
  return resolveSettings(uploadSettings, {
    command: 'upload',
    flags: {config: named, topic: 't'},
    cwd: dir,
    env,
    fixedConfigDirs: [],
  })
}

describe("OpenMSIStream's configuration file", () => {
  it('says how to reach the brokers, numbers in secrets left as they are', async () => {
    const {values, notes} = await resolved(TYPICAL)
    expect(values).toMatchObject({
      brokers: ['kafka-1:9092'],
      tls: true,
      saslMechanism: 'plain',
      saslUsername: 'kafka.example.org-user',
    })
    expect(values.saslPassword?.reveal()).toBe('123456%')
    expect(notes.join()).toContain('not used here: debug')
  })

  it('may be named without its extension', async () => {
    expect((await resolved(TYPICAL, {BROKER_HOST: 'x'}, 'test')).values.brokers).toEqual(['x:9092'])
  })

  it('names a variable that is not set', async () => {
    await expect(resolved(TYPICAL, {})).rejects.toThrow('BROKER_HOST')
  })

  it('is refused when it asks for encryption', async () => {
    await expect(resolved('[broker]\nbootstrap.servers=a\n[kafkacrypto]\nnode_id = x\n')).rejects.toThrow(
      'encrypted topics are not supported',
    )
  })

  it('is read as configparser does', () => {
    const sections = parseIni('[a]\nKey: one\n  two\n\n; no\nb=c # kept\n[b]\nk = v=w\n', 'x.config')
    expect([...(sections.get('a') ?? [])]).toEqual([
      ['key', 'one\ntwo'],
      ['b', 'c # kept'],
    ])
    expect(sections.get('b')?.get('k')).toBe('v=w')
    expect(() => parseIni('[a]\nnonsense\n', 'x.config')).toThrow('Line 2 of x.config')
    expect(() => parseIni('k = v\n', 'x.config')).toThrow('Line 1')
  })
})

it('reads the store of [s3] for s3-transfer, with its secret masked', async () => {
  const store = `[broker]
bootstrap.servers = kafka-1:9092
[s3]
access_key_id = $KEY_ID
secret_key_id = $KEY_SECRET
endpoint_url = s3.example.org
region = us-east-1
`
  await writeFile(join(dir, 'test.config'), store)
  const {values} = await resolveSettings(s3TransferSettings, {
    command: 's3-transfer',
    flags: {config: 'test.config', topic: 't', bucket: 'archive'},
    cwd: dir,
    env: {KEY_ID: 'me', KEY_SECRET: 'hush'},
  })
  expect(values).toMatchObject({
    accessKeyId: 'me',
    endpointUrl: 'https://s3.example.org',
    region: 'us-east-1',
  })
  expect(values.secretAccessKey?.reveal()).toBe('hush')
  expect(String(values.secretAccessKey)).toBe('***')
})

/** The AWS CLI and boto3 on the sandbox's bucket. */
import {randomBytes} from 'node:crypto'
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {type RunningBucket, startBucket} from '../../src/sandbox/bucket/index.js'
import {type AwsTools, awsTools} from '../support/aws-tools.js'
import {silentLogger} from '../support/delivery.js'
import {temporaryDirectories} from '../support/temporary-directory.js'

const makeDirectory = temporaryDirectories()
/** Above 8 MiB, from where on these clients send parts. */
const large = randomBytes(20 * 1024 ** 2 + 7)

let bucket: RunningBucket
let tools: AwsTools
let home: string
beforeAll(async () => {
  bucket = await startBucket({dir: await makeDirectory(), port: 0, buckets: ['files'], logger: silentLogger})
  tools = await awsTools(bucket)
  home = await makeDirectory()
  await writeFile(join(home, 'large.bin'), large)
})
afterAll(() => bucket.close())

describe('the AWS CLI', () => {
  it('copies a large file up and down, in parts', async () => {
    await tools.aws('s3', 'cp', join(home, 'large.bin'), 's3://files/cli/large.bin')
    await tools.aws('s3', 'cp', 's3://files/cli/large.bin', join(home, 'back.bin'))
    expect((await readFile(join(home, 'back.bin'))).equals(large)).toBe(true)
    const head = await tools.aws('s3api', 'head-object', '--bucket', 'files', '--key', 'cli/large.bin')
    expect(JSON.parse(head)).toMatchObject({ContentLength: large.length})
  })

  it('lists and removes', async () => {
    await tools.aws('s3', 'cp', join(home, 'large.bin'), 's3://files/list/a b+ü.bin')
    expect(await tools.aws('s3', 'ls', 's3://files/list/')).toContain(`${large.length} a b+ü.bin`)
    await tools.aws('s3', 'rm', 's3://files/list/', '--recursive')
    expect((await tools.tryAws('s3', 'ls', 's3://files/list/')).exitCode).toBe(1)
  })

  it('makes and removes buckets', async () => {
    await tools.aws('s3', 'mb', 's3://made')
    await tools.aws('s3', 'cp', join(home, 'large.bin'), 's3://made/x')
    expect((await tools.tryAws('s3', 'rb', 's3://made')).stderr).toContain('BucketNotEmpty')
    await tools.aws('s3', 'rb', 's3://made', '--force')
  })

  it('syncs a directory up and down, and then has nothing to do', async () => {
    const [from, to] = [join(home, 'from'), join(home, 'to')]
    await mkdir(join(from, 'deep', 'er'), {recursive: true})
    for (let index = 0; index < 20; index++)
      await writeFile(join(from, 'deep', `${index}.txt`), `file ${index}`)
    await writeFile(join(from, 'deep', 'er', 'empty'), '')
    await tools.aws('s3', 'sync', from, 's3://files/sync')
    await tools.aws('s3', 'sync', 's3://files/sync', to)
    expect(await readFile(join(to, 'deep', '7.txt'), 'utf8')).toBe('file 7')
    expect(await tools.aws('s3', 'sync', 's3://files/sync', to)).toBe('')
    await rm(join(from, 'deep', 'er'), {recursive: true})
    const removed = await tools.aws('s3', 'sync', from, 's3://files/sync', '--delete')
    expect(removed).toContain('deep/er/empty')
  })

  it('makes addresses that work by themselves', async () => {
    await tools.aws('s3', 'cp', join(home, 'large.bin'), 's3://files/presigned')
    const url = (await tools.aws('s3', 'presign', 's3://files/presigned')).trim()
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    expect(Buffer.from(await answer.arrayBuffer()).equals(large)).toBe(true)
  })

  it('is told what is wrong', async () => {
    const missing = await tools.tryAws('s3', 'cp', 's3://files/nothing', home)
    expect(missing.stderr).toContain('404')
    const stranger = await awsTools({...bucket, secretAccessKey: 'guessed'})
    expect((await stranger.tryAws('s3', 'ls', 's3://files')).stderr).toContain('SignatureDoesNotMatch')
  })
})

const PROGRAM = `
import boto3, hashlib, io, json, sys
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client('s3')
config = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=5 << 20)
path = sys.argv[1]
s3.upload_file(path, 'files', 'boto/large', Config=config, ExtraArgs={'Metadata': {'by': 'boto3'}})
back = io.BytesIO()
s3.download_fileobj('files', 'boto/large', back, Config=config)
same = hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(open(path, 'rb').read()).digest()
for algorithm in ['CRC32', 'SHA1', 'SHA256']:
    s3.put_object(Bucket='files', Key='boto/' + algorithm, Body=b'x', ChecksumAlgorithm=algorithm)
    s3.put_object(Bucket='files', Key='boto/stream', Body=io.BytesIO(b'y' * 100000), ChecksumAlgorithm=algorithm)
s3.put_object(Bucket='files', Key='boto/once', Body=b'1', IfNoneMatch='*')
try:
    s3.put_object(Bucket='files', Key='boto/once', Body=b'2', IfNoneMatch='*')
    refused = None
except ClientError as error:
    refused = error.response['Error']['Code']
resource = boto3.resource('s3').Bucket('files')
keys = sorted(found.key for found in resource.objects.filter(Prefix='boto/'))
post = boto3.client('s3', config=Config(signature_version='s3v4'))
url = post.generate_presigned_url('get_object', Params={'Bucket': 'files', 'Key': 'boto/once'})
print(json.dumps({
    'same': same, 'refused': refused, 'keys': keys, 'url': url,
    'metadata': s3.head_object(Bucket='files', Key='boto/large')['Metadata'],
}))
`

it('boto3 sends parts, streams, checksums and conditions, and reads them back', async () => {
  const result = JSON.parse(await tools.python(PROGRAM, join(home, 'large.bin'))) as {url: string}
  expect(result).toMatchObject({
    same: true,
    refused: 'PreconditionFailed',
    keys: ['boto/CRC32', 'boto/SHA1', 'boto/SHA256', 'boto/large', 'boto/once', 'boto/stream'],
    metadata: {by: 'boto3'},
  })
  expect(await (await fetch(result.url)).text()).toBe('1')
})

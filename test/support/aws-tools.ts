/** The AWS CLI and boto3, from PyPI: what people without our client use. */
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {cached} from './cache.js'
import {isInstalled, run, runOrThrow, type Finished} from './processes.js'
import type {S3Access} from './s3-client.js'

const AWSCLI = 'awscli==1.46.3'
const BOTO3 = 'boto3==1.44.5'

export interface AwsTools {
  /** `aws …`, which has to succeed. */
  aws(...args: string[]): Promise<string>
  /** The same when it may fail. */
  tryAws(...args: string[]): Promise<Finished>
  /** A Python program that has boto3. */
  python(program: string, ...args: string[]): Promise<string>
}

/** @throws by name what is missing: Python, its venv module, or the packages */
export async function awsTools({
  endpoint,
  region,
  accessKeyId,
  secretAccessKey,
}: S3Access): Promise<AwsTools> {
  const home = await environment()
  const programs = join(home, 'bin')
  const config = join(home, 'aws-config')
  // In the oldest region they still presign as nobody should since 2020.
  await writeFile(config, '[default]\ns3 =\n    signature_version = s3v4\n')
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    AWS_CONFIG_FILE: config,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
  }
  return {
    aws: async (...args) => (await runOrThrow(join(programs, 'aws'), args, {env})).stdout,
    tryAws: (...args) => run(join(programs, 'aws'), args, {env}),
    python: async (program, ...args) =>
      (await runOrThrow(join(programs, 'python3'), ['-', ...args], {env, stdin: program})).stdout,
  }
}

async function environment(): Promise<string> {
  if (!(await isInstalled('python3')))
    throw new Error('the AWS CLI cannot be installed: python3 is not there')
  return cached(`aws-${AWSCLI}-${BOTO3}`.replaceAll('==', '-'), async (directory) => {
    await runOrThrow('python3', ['-m', 'venv', directory])
    await runOrThrow(join(directory, 'bin', 'pip'), ['install', '--quiet', AWSCLI, BOTO3])
  })
}

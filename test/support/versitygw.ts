/** versitygw, an S3 server that others wrote, on a directory of its own: what the sandbox's bucket is compared with. */
import {spawn} from 'node:child_process'
import {mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {cached} from './cache.js'
import {eventually} from './eventually.js'
import {freePorts} from './kafka/node.js'
import {collect, diesWithUs, ended, isInstalled, runOrThrow} from './processes.js'
import type {S3Access} from './s3-client.js'
import {exchange} from './s3-raw.js'

export const VERSITYGW_VERSION = 'v1.8.0'
const BUILD_MS = 600_000

export interface Versitygw extends S3Access {
  readonly pid: number
  /** Stops it and deletes its data. */
  close(): Promise<void>
}

/** @throws by name what is missing: Go, or the module */
export async function startVersitygw(): Promise<Versitygw> {
  const program = join(await built(), 'versitygw')
  const home = await mkdtemp(join(tmpdir(), 'streamtool-versitygw-'))
  const [data, sidecar] = [join(home, 'data'), join(home, 'sidecar')]
  await Promise.all([mkdir(data), mkdir(sidecar)])
  const [port] = await freePorts(1)
  const access = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    accessKeyId: 'contract',
    secretAccessKey: 'contract-secret',
  }
  const child = spawn(
    program,
    [
      ...['--quiet', '--keep-alive', '--access', access.accessKeyId, '--secret', access.secretAccessKey],
      ...['--port', `127.0.0.1:${port}`, 'posix', '--sidecar', sidecar, data],
    ],
    {stdio: ['ignore', 'pipe', 'pipe']},
  )
  const {pid} = child
  if (pid === undefined) throw new Error(`${program} cannot be started`)
  diesWithUs(child)
  const output = [collect(child.stdout), collect(child.stderr)]
  const gone = ended(child)
  const close = async () => {
    child.kill('SIGTERM')
    await gone
    await rm(home, {recursive: true, force: true})
  }
  try {
    await eventually('versitygw takes requests', async () => {
      if (child.exitCode !== null) throw new Error(output.map((part) => part().toString()).join(''))
      return exchange(access.endpoint, 'GET', '/').then(
        () => true,
        () => false,
      )
    })
  } catch (thrown) {
    await close()
    throw thrown
  }
  return {...access, pid, close}
}

async function built(): Promise<string> {
  if (!(await isInstalled('go'))) throw new Error('versitygw cannot be built: go is not installed')
  return cached(`versitygw-${VERSITYGW_VERSION}`, async (directory) => {
    await runOrThrow('go', ['install', `github.com/versity/versitygw/cmd/versitygw@${VERSITYGW_VERSION}`], {
      env: {...process.env, GOBIN: directory},
      timeoutMs: BUILD_MS,
    })
  })
}

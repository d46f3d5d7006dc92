/** versitygw, an S3 server that others wrote, on a directory of its own: what the sandbox's bucket is compared with. */
import {type ChildProcess, spawn} from 'node:child_process'
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
  /** Of its process as it is now. */
  readonly pid: number
  /** Each directory in it is a bucket, and each file there an object. */
  readonly data: string
  /** kill -9; the data stay for `start`. */
  killHard(): Promise<void>
  /** On the same data and port. @param secret that its only user must have instead of the usual one */
  start(secret?: string): Promise<void>
  /** Stops it and deletes its data. */
  close(): Promise<void>
}

/**
 * @param keepsConnections as other stores do; versitygw itself closes after each answer unless it is told otherwise
 * @throws by name what is missing: Go, or the module
 */
export async function startVersitygw({keepsConnections = false} = {}): Promise<Versitygw> {
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
  let child: ChildProcess | null = null

  const start = async (secret = access.secretAccessKey): Promise<void> => {
    const started = spawn(
      program,
      [
        ...(keepsConnections ? ['--keep-alive'] : []),
        ...['--quiet', '--access', access.accessKeyId, '--secret', secret],
        ...['--port', `127.0.0.1:${port}`, 'posix', '--sidecar', sidecar, data],
      ],
      {stdio: ['ignore', 'pipe', 'pipe']},
    )
    child = started
    diesWithUs(started)
    const output = [collect(started.stdout), collect(started.stderr)]
    await eventually('versitygw takes requests', async () => {
      if (started.exitCode !== null) throw new Error(output.map((part) => part().toString()).join(''))
      return exchange(access.endpoint, 'GET', '/').then(
        () => true,
        () => false,
      )
    })
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = ended(child)
    child.kill(signal)
    await gone
  }
  const close = async (): Promise<void> => {
    await end('SIGTERM')
    await rm(home, {recursive: true, force: true})
  }
  try {
    await start()
  } catch (thrown) {
    await close()
    throw thrown
  }
  return {
    ...access,
    data,
    get pid() {
      if (child?.pid === undefined) throw new Error('versitygw is not running')
      return child.pid
    },
    killHard: () => end('SIGKILL'),
    start,
    close,
  }
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

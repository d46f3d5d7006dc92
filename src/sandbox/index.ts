/**
 * The sandbox: what streamtool talks to, in one process and one directory, for trying out and for tests. It speaks
 * the protocols of the real things, Kafka and S3, and keeps what it was given over a kill -9, but it is a single process
 * on the loopback interface without replication or retention. Production is Apache Kafka and a real object store.
 */
import {join} from 'node:path'
import {StreamtoolError} from '../core/errors.js'
import type {Logger} from '../core/ports/index.js'
import {errno, storageError} from '../adapters/system/storage-error.js'
import {tryLock, type ProcessLock} from '../adapters/system/process-lock.js'
import {startBroker, type RunningBroker} from './broker/broker.js'
import {type BucketOptions, isBucketName, type RunningBucket, startBucket} from './bucket/index.js'

export interface SandboxOptions {
  /** Holds everything; made when it is not there. */
  readonly dir: string
  /** 0 for any free one. */
  readonly kafkaPort: number
  /** Of topics that are made without a number. */
  readonly defaultPartitions?: number
  /** Without it there is a broker alone. */
  readonly bucket?: Pick<BucketOptions, 'port' | 'intercept'> & {readonly name: string}
  readonly logger: Logger
}

export interface Sandbox {
  /** For `--brokers`: `127.0.0.1:<port>` */
  readonly bootstrap: string
  readonly bucket: RunningBucket | null
  /** Ends all connections and writes everything to the disk. */
  close(): Promise<void>
}

/** @throws SANDBOX_DIR_IN_USE, PORT_UNUSABLE, SETTING_INVALID, STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const lock = await lockDirectory(options.dir)
  let servers: Servers
  try {
    servers = await startServers(options)
  } catch (thrown) {
    await lock.release()
    throw thrown
  }

  const {broker, bucket} = servers
  let closed: Promise<void> | undefined
  const close = async () => {
    try {
      await Promise.all([broker.close(), bucket?.close()])
    } finally {
      await lock.release()
    }
  }
  const closeOnce = () => (closed ??= close())
  lock.lost.addEventListener('abort', () => {
    options.logger.error(`another host has taken over the sandbox in ${options.dir}; this one stops`)
    void closeOnce()
  })
  return {bootstrap: `${broker.host}:${broker.port}`, bucket, close: closeOnce}
}

async function lockDirectory(dir: string): Promise<ProcessLock> {
  const lock = await tryLock(dir, 'sandbox')
  if (lock !== null) return lock
  throw new StreamtoolError('SANDBOX_DIR_IN_USE', `A sandbox is running in ${dir} already.`, {
    facts: {dir},
    suggestions: ['Use the one that is running, or stop it.', 'Choose another directory with --dir.'],
  })
}

interface Servers {
  readonly broker: RunningBroker
  readonly bucket: RunningBucket | null
}

async function startServers(options: SandboxOptions): Promise<Servers> {
  const broker = await startKafka(options)
  try {
    return {broker, bucket: await startS3(options)}
  } catch (thrown) {
    await broker.close()
    throw thrown
  }
}

function startKafka({dir, kafkaPort, defaultPartitions = 4, logger}: SandboxOptions): Promise<RunningBroker> {
  const place = {dir: join(dir, 'kafka'), port: kafkaPort, flag: '--kafka-port'}
  return naming(place, () => startBroker({...place, defaultPartitions, logger}))
}

async function startS3({dir, bucket, logger}: SandboxOptions): Promise<RunningBucket | null> {
  if (bucket === undefined) return null
  const {name, ...others} = bucket
  if (!isBucketName(name))
    throw new StreamtoolError('SETTING_INVALID', `${name} cannot be the name of a bucket.`, {
      facts: {bucket: name},
      suggestions: ['Choose 3 to 63 lower-case letters, digits and hyphens.'],
    })
  const place = {dir: join(dir, 's3'), port: bucket.port, flag: '--s3-port'}
  return naming(place, () => startBucket({...others, ...place, buckets: [name], logger}))
}

/** Gives what the system throws its meaning: either the port cannot be had, or the directory cannot be used. */
async function naming<Server>(
  {dir, port, flag}: {readonly dir: string; readonly port: number; readonly flag: string},
  start: () => Promise<Server>,
): Promise<Server> {
  try {
    return await start()
  } catch (thrown) {
    const isAboutThePort = thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'listen'
    if (!isAboutThePort) throw storageError(thrown, 'use', dir)
    throw new StreamtoolError('PORT_UNUSABLE', `Cannot listen on 127.0.0.1:${port}: ${errno(thrown)}.`, {
      facts: {port},
      suggestions: [`Choose another port with ${flag}; 0 takes any that is free.`],
      cause: thrown,
    })
  }
}

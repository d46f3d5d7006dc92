/**
 * The sandbox: what streamtool talks to, in one process and one directory, for trying out and for tests. It speaks
 * the protocols of the real thing and keeps what it was given over a kill -9, but it is a single node on the
 * loopback interface without replication, authentication or retention. Production is Apache Kafka.
 */
import {join} from 'node:path'
import {StreamtoolError} from '../core/errors.js'
import type {Logger} from '../core/ports/index.js'
import {errno, storageError} from '../adapters/system/storage-error.js'
import {tryLock, type ProcessLock} from '../adapters/system/process-lock.js'
import {startBroker, type RunningBroker} from './broker/broker.js'

export interface SandboxOptions {
  /** Holds everything; made when it is not there. */
  readonly dir: string
  /** 0 for any free one. */
  readonly kafkaPort: number
  /** Of topics that are made without a number. */
  readonly defaultPartitions?: number
  readonly logger: Logger
}

export interface Sandbox {
  /** For `--brokers`: `127.0.0.1:<port>` */
  readonly bootstrap: string
  /** Ends all connections and writes everything to the disk. */
  close(): Promise<void>
}

/** @throws SANDBOX_DIR_IN_USE, PORT_UNUSABLE, STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const lock = await lockDirectory(options.dir)
  let broker: RunningBroker
  try {
    broker = await startKafka(options)
  } catch (thrown) {
    await lock.release()
    throw thrown
  }

  let closed: Promise<void> | undefined
  const close = async () => {
    try {
      await broker.close()
    } finally {
      await lock.release()
    }
  }
  const closeOnce = () => (closed ??= close())
  lock.lost.addEventListener('abort', () => {
    options.logger.error(`another host has taken over the sandbox in ${options.dir}; this one stops`)
    void closeOnce()
  })
  return {bootstrap: `${broker.host}:${broker.port}`, close: closeOnce}
}

async function lockDirectory(dir: string): Promise<ProcessLock> {
  const lock = await tryLock(dir, 'sandbox')
  if (lock !== null) return lock
  throw new StreamtoolError('SANDBOX_DIR_IN_USE', `A sandbox is running in ${dir} already.`, {
    facts: {dir},
    suggestions: ['Use the one that is running, or stop it.', 'Choose another directory with --dir.'],
  })
}

async function startKafka({
  dir,
  kafkaPort,
  defaultPartitions = 4,
  logger,
}: SandboxOptions): Promise<RunningBroker> {
  const kafkaDir = join(dir, 'kafka')
  try {
    return await startBroker({dir: kafkaDir, port: kafkaPort, defaultPartitions, logger})
  } catch (thrown) {
    const isAboutThePort = thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'listen'
    if (!isAboutThePort) throw storageError(thrown, 'use', kafkaDir)
    throw new StreamtoolError('PORT_UNUSABLE', `Cannot listen on 127.0.0.1:${kafkaPort}: ${errno(thrown)}.`, {
      facts: {port: kafkaPort},
      suggestions: ['Choose another port with --kafka-port; 0 takes any that is free.'],
      cause: thrown,
    })
  }
}

/**
 * The sandbox's bucket: a store that speaks the S3 protocol, on the loopback interface and in one directory. It is
 * strict where real stores are: signatures, checksums in every form, part sizes and numbers, conditional writes,
 * limits. What it does not have it refuses (501), and never passes over.
 *
 * Bodies go to the disk as they come, so memory does not grow with them. An object appears when its body is verified,
 * whole and at once. What was answered is there after kill -9; nothing is synced, so not after a power failure.
 *
 * One account, path-style addresses only. No versions, ACLs, policies or object lock. Encryption is asked for and
 * answered as S3 does, keys of the customer are insisted on; the bytes on the disk are plain.
 */
import {join} from 'node:path'
import type {Logger} from '../../core/ports/index.js'
import type {Intercept} from './faults.js'
import {keptCredentials} from './kept-credentials.js'
import {BucketServer} from './server.js'
import type {Account} from './signature/authenticate.js'
import {Buckets} from './storage/buckets.js'

export type {Call, Fault, Intercept} from './faults.js'
export type {OperationName} from './routes.js'
export {isBucketName} from './storage/buckets.js'
export type {Account} from './signature/authenticate.js'

export interface BucketOptions {
  /** Holds everything; made when it is not there. Nobody else may use it meanwhile. */
  readonly dir: string
  /** 0 for any free one. */
  readonly port: number
  /** Buckets that are there from the beginning. */
  readonly buckets?: readonly string[]
  readonly region?: string
  /** Who may use it besides the one whose credentials are kept in the directory; asked anew with every request. */
  readonly accounts?: () => readonly Account[]
  /** For tests: makes calls go wrong. */
  readonly intercept?: Intercept
  readonly logger: Logger
}

export interface RunningBucket {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string
  readonly port: number
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Ends all connections. */
  close(): Promise<void>
}

/** Rejects with the system's error when it cannot listen, or use the directory. */
export async function startBucket(options: BucketOptions): Promise<RunningBucket> {
  const {dir, region = 'us-east-1', accounts = () => [], intercept = () => undefined, logger} = options
  const buckets = new Buckets(join(dir, 'buckets'))
  for (const name of options.buckets ?? []) if (!buckets.find(name)) buckets.create(name, Date.now())
  const owner = keptCredentials(dir)
  const findAccount = (accessKeyId: string) =>
    [owner, ...accounts()].find((account) => account.accessKeyId === accessKeyId)
  const server = new BucketServer({store: {buckets, region}, findAccount, intercept, logger})
  const {host, port} = await server.listen(options.port)
  return {endpoint: `http://${host}:${port}`, port, region, ...owner, close: () => server.close()}
}

import type {S3Access} from '../../support/s3-client.js'

export interface S3Backend extends S3Access {
  close(): Promise<void>
}

export interface S3Kind {
  readonly name: string
  start(): Promise<S3Backend>
  /** Names of tests: what a real store is known to do otherwise than Amazon S3. It is an error when it does not any more. */
  readonly deviations?: readonly string[]
}

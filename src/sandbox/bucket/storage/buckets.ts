/** All buckets of the store, a directory each. */
import {mkdirSync, readdirSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {S3Error} from '../errors.js'
import {BucketStore} from './bucket-store.js'
import {readJsonFile, writeJsonFile} from './json-file.js'

const BUCKET_FILE = 'bucket.json'
const NAME =
  /^(?!xn--|sthree-)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$(?<!-s3alias|--ol-s3)/

export const isBucketName = (name: string) => NAME.test(name)

export class Buckets {
  readonly #dir: string
  readonly #buckets = new Map<string, BucketStore>()

  constructor(dir: string) {
    this.#dir = dir
    mkdirSync(dir, {recursive: true})
    for (const name of readdirSync(dir).sort()) {
      const record = readJsonFile(join(dir, name, BUCKET_FILE)) as {createdMs: number} | null
      if (record === null) rmSync(join(dir, name), {recursive: true})
      else this.#buckets.set(name, new BucketStore(join(dir, name), name, record.createdMs))
    }
  }

  all(): readonly BucketStore[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  find(name: string): BucketStore | undefined {
    return this.#buckets.get(name)
  }

  /** @throws S3Error NoSuchBucket */
  get(name: string): BucketStore {
    const bucket = this.find(name)
    if (bucket === undefined) throw new S3Error('NoSuchBucket', undefined, {BucketName: name})
    return bucket
  }

  /** @throws S3Error InvalidBucketName, BucketAlreadyOwnedByYou */
  create(name: string, nowMs: number): void {
    if (!isBucketName(name)) throw new S3Error('InvalidBucketName', undefined, {BucketName: name})
    if (this.#buckets.has(name)) throw new S3Error('BucketAlreadyOwnedByYou', undefined, {BucketName: name})
    const dir = join(this.#dir, name)
    const bucket = new BucketStore(dir, name, nowMs)
    writeJsonFile(join(dir, BUCKET_FILE), {name, createdMs: nowMs})
    this.#buckets.set(name, bucket)
  }

  /** @throws S3Error NoSuchBucket, BucketNotEmpty */
  delete(name: string): void {
    if (!this.get(name).isEmpty) throw new S3Error('BucketNotEmpty', undefined, {BucketName: name})
    rmSync(join(this.#dir, name, BUCKET_FILE))
    this.#buckets.delete(name)
    rmSync(join(this.#dir, name), {recursive: true})
  }
}

/**
 * One bucket on the disk:
 *
 *     bucket.json                        name, when it was made
 *     data/<random>                      the bytes of an object of one piece, or of a part
 *     objects/<hh>/<sha256 of key>.json  what an object is, and which data files it is made of
 *     uploads/<id>/upload.json           a multipart upload that is neither completed nor aborted
 *     uploads/<id>/<number>.json         a part of it
 *
 * Everything small is in memory too. Records are written synchronously, each by one rename, after their bytes: so
 * nothing can come between a look at what is there and its replacement, an object is there whole or not at all, and a
 * crash leaves nothing worse than data files that no record knows, which go at the next start. Completing copies no
 * bytes: the object takes over the data files of the parts.
 */
import {createHash} from 'node:crypto'
import {mkdirSync, readdirSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {DataFiles} from './data-files.js'
import {readJsonFile, writeJsonFile} from './json-file.js'
import type {ObjectRecord, PartRecord, Upload, UploadRecord} from './records.js'
import {SortedNames} from './sorted-names.js'

const UPLOAD_FILE = 'upload.json'

export class BucketStore {
  readonly name: string
  readonly createdMs: number
  readonly data: DataFiles
  readonly #dir: string
  readonly #objects: Map<string, ObjectRecord>
  readonly #keys: SortedNames
  readonly #uploads: Map<string, Upload>

  constructor(dir: string, name: string, createdMs: number) {
    this.name = name
    this.createdMs = createdMs
    this.#dir = dir
    mkdirSync(join(dir, 'uploads'), {recursive: true})
    this.data = new DataFiles(join(dir, 'data'))
    this.#objects = readObjects(join(dir, 'objects'))
    this.#keys = new SortedNames(this.#objects.keys())
    this.#uploads = readUploads(join(dir, 'uploads'))
    this.#forgetCompletedUploads()
    this.data.removeAllBut(this.#dataFilesInUse())
  }

  get isEmpty(): boolean {
    return this.#objects.size === 0
  }

  find(key: string): ObjectRecord | undefined {
    return this.#objects.get(key)
  }

  /** From the first key that is not before `start`, in the order of listings. */
  *objectsFrom(start: string): Generator<ObjectRecord> {
    for (const key of this.#keys.from(start)) {
      const object = this.#objects.get(key)
      if (object !== undefined) yield object
    }
  }

  /** From now on this is what the key stands for. */
  put(record: ObjectRecord): Promise<void> {
    const replaced = this.#objects.get(record.key)
    const path = this.#objectPath(record.key)
    mkdirSync(join(path, '..'), {recursive: true})
    writeJsonFile(path, record)
    this.#objects.set(record.key, record)
    this.#keys.add(record.key)
    const kept = new Set(record.segments.map(({file}) => file))
    return this.data.remove(filesOf(replaced?.segments).filter((file) => !kept.has(file)))
  }

  delete(key: string): Promise<void> {
    const removed = this.#objects.get(key)
    if (removed === undefined) return Promise.resolve()
    rmSync(this.#objectPath(key))
    this.#objects.delete(key)
    this.#keys.delete(key)
    return this.data.remove(filesOf(removed.segments))
  }

  uploads(): Iterable<Upload> {
    return this.#uploads.values()
  }

  findUpload(uploadId: string): Upload | undefined {
    return this.#uploads.get(uploadId)
  }

  createUpload(record: UploadRecord): void {
    const dir = this.#uploadDir(record.uploadId)
    mkdirSync(dir)
    writeJsonFile(join(dir, UPLOAD_FILE), record)
    this.#uploads.set(record.uploadId, {record, parts: new Map()})
  }

  /** In the place of an earlier one of the same number. */
  putPart({record, parts}: Upload, part: PartRecord): Promise<void> {
    const replaced = parts.get(part.partNumber)
    writeJsonFile(join(this.#uploadDir(record.uploadId), `${part.partNumber}.json`), part)
    parts.set(part.partNumber, part)
    return this.data.remove(replaced === undefined ? [] : [replaced.file])
  }

  /** The object takes over the data files that it names; those of the other parts go. */
  async complete({record, parts}: Upload, object: ObjectRecord): Promise<void> {
    const removed = this.put(object)
    this.#removeUpload(record.uploadId)
    const used = new Set(object.segments.map(({file}) => file))
    await this.data.remove(filesOf(parts.values()).filter((file) => !used.has(file)))
    await removed
  }

  abort({record, parts}: Upload): Promise<void> {
    this.#removeUpload(record.uploadId)
    return this.data.remove(filesOf(parts.values()))
  }

  /** With its record goes the upload; what is left of its directory then is only litter. */
  #removeUpload(uploadId: string): void {
    const dir = this.#uploadDir(uploadId)
    rmSync(join(dir, UPLOAD_FILE))
    this.#uploads.delete(uploadId)
    rmSync(dir, {recursive: true})
  }

  /** A crash can come between the writing of the object and the removal of its upload. */
  #forgetCompletedUploads(): void {
    const ofObjects = new Set<string>()
    for (const {segments} of this.#objects.values()) for (const {file} of segments) ofObjects.add(file)
    for (const {record, parts} of this.#uploads.values())
      if (filesOf(parts.values()).some((file) => ofObjects.has(file))) this.#removeUpload(record.uploadId)
  }

  #objectPath(key: string): string {
    const hash = createHash('sha256').update(key).digest('hex')
    return join(this.#dir, 'objects', hash.slice(0, 2), `${hash}.json`)
  }

  #uploadDir(uploadId: string): string {
    return join(this.#dir, 'uploads', uploadId)
  }

  #dataFilesInUse(): ReadonlySet<string> {
    const files = new Set<string>()
    for (const {segments} of this.#objects.values()) for (const {file} of segments) files.add(file)
    for (const {parts} of this.#uploads.values()) for (const {file} of parts.values()) files.add(file)
    return files
  }
}

function readObjects(dir: string): Map<string, ObjectRecord> {
  const objects = new Map<string, ObjectRecord>()
  mkdirSync(dir, {recursive: true})
  for (const group of readdirSync(dir))
    for (const name of readdirSync(join(dir, group))) {
      if (!name.endsWith('.json')) continue
      const record = readJsonFile(join(dir, group, name)) as ObjectRecord
      objects.set(record.key, record)
    }
  return objects
}

function readUploads(dir: string): Map<string, Upload> {
  const uploads = new Map<string, Upload>()
  for (const uploadId of readdirSync(dir)) {
    const record = readJsonFile(join(dir, uploadId, UPLOAD_FILE)) as UploadRecord | null
    if (record === null) rmSync(join(dir, uploadId), {recursive: true})
    else uploads.set(uploadId, {record, parts: readParts(join(dir, uploadId))})
  }
  return uploads
}

function readParts(dir: string): Map<number, PartRecord> {
  const parts = new Map<number, PartRecord>()
  for (const name of readdirSync(dir)) {
    if (!/^\d+\.json$/.test(name)) continue
    const part = readJsonFile(join(dir, name)) as PartRecord
    parts.set(part.partNumber, part)
  }
  return parts
}

const filesOf = (segments: Iterable<{readonly file: string}> = []) => [...segments].map(({file}) => file)

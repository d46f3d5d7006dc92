/** What the user wants of every object, as fields of the requests that begin one. */
import {createHash} from 'node:crypto'
import type {IncomingFile} from '../../core/ports/index.js'
import type {ChecksumName} from './checksum.js'
import {contentTypeOf} from './content-type.js'
import type {ObjectFields} from './requests.js'

export interface ObjectSettings {
  readonly contentType?: string
  readonly contentEncoding?: string
  readonly cacheControl?: string
  readonly storageClass?: string
  readonly acl?: string
  readonly tags: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, string>>
  /** Also the SHA-256 goes into the metadata, where it is known when that is given. */
  readonly sha256: boolean
  readonly encryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse'
  readonly kmsKeyId?: string
  readonly kmsContext?: Readonly<Record<string, string>>
  readonly bucketKey?: boolean
  readonly lockMode?: 'GOVERNANCE' | 'COMPLIANCE'
  readonly retainForMs?: number
  readonly legalHold?: boolean
}

/** The metadata of a file, as its uploader gave it, that is no metadata of an object but a header of its own. */
const CONTENT_TYPE = 'content-type'
const CONTENT_ENCODING = 'content-encoding'

export function objectFields(settings: ObjectSettings, file: IncomingFile, nowMs: number): ObjectFields {
  const {tags, kmsContext, retainForMs} = settings
  const given = {
    ContentType: settings.contentType ?? headerValue(file.metadata[CONTENT_TYPE]) ?? contentTypeOf(file.name),
    ContentEncoding: headerValue(settings.contentEncoding ?? file.metadata[CONTENT_ENCODING]),
    CacheControl: settings.cacheControl,
    StorageClass: settings.storageClass,
    ACL: settings.acl,
    Tagging: Object.keys(tags).length === 0 ? undefined : new URLSearchParams(tags).toString(),
    ServerSideEncryption: settings.encryption,
    SSEKMSKeyId: settings.kmsKeyId,
    SSEKMSEncryptionContext:
      kmsContext === undefined ? undefined : Buffer.from(JSON.stringify(kmsContext)).toString('base64'),
    BucketKeyEnabled: settings.bucketKey,
    ObjectLockMode: settings.lockMode,
    ObjectLockRetainUntilDate: retainForMs === undefined ? undefined : new Date(nowMs + retainForMs),
    ObjectLockLegalHoldStatus: settings.legalHold === true ? 'ON' : undefined,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** Two runs whose settings differ do not go on with each other's uploads: what they began says how it will end. */
export function fingerprintOf(
  settings: ObjectSettings,
  checksum: ChecksumName,
  customerKeyId: string | null,
): string {
  const sorted = Object.entries({...settings, checksum, customerKeyId}).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 16)
}

/** What anybody may have put on the topic becomes a header only when it can be one. */
function headerValue(given: string | undefined): string | undefined {
  return given !== undefined && /^[\x20-\x7e]{1,200}$/.test(given) ? given : undefined
}

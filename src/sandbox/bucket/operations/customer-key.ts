/**
 * SSE-C: a key that comes with a request. Only its MD5 is kept, as S3 keeps a salted hash: whoever wants the object has to
 * show the same key. The bytes on this disk are not encrypted; a sandbox has nothing to hide.
 */
import {createHash} from 'node:crypto'
import {S3Error} from '../errors.js'
import {headerOf, type S3Request} from '../s3-request.js'
import type {ObjectTraits} from '../storage/records.js'

const PREFIX = 'x-amz-server-side-encryption-customer'
const ALGORITHM = `${PREFIX}-algorithm`
const KEY_MD5 = `${PREFIX}-key-md5`
const KEY_BYTES = 32

/** What is kept of the key of a request, and given back; nothing when it has none. @throws S3Error */
export function customerKeyTraits(request: S3Request): Record<string, string> {
  const [algorithm, key, md5] = [ALGORITHM, `${PREFIX}-key`, KEY_MD5].map((name) => headerOf(request, name))
  if (algorithm === undefined && key === undefined && md5 === undefined) return {}
  const refused = (message: string) => new S3Error('InvalidArgument', message)
  if (algorithm === undefined || key === undefined || md5 === undefined)
    throw refused(
      'Requests specifying Server Side Encryption with Customer provided keys must provide all of its headers.',
    )
  if (algorithm !== 'AES256')
    throw refused('The requested encryption algorithm is not valid, must be AES256.')
  const bytes = Buffer.from(key, 'base64')
  if (bytes.length !== KEY_BYTES) throw refused('The secret key was invalid for the specified algorithm.')
  if (createHash('md5').update(bytes).digest('base64') !== md5)
    throw refused('The calculated MD5 hash of the key did not match the hash that was provided.')
  return {[ALGORITHM]: algorithm, [KEY_MD5]: md5}
}

export const hasCustomerKey = ({headers}: ObjectTraits): boolean => headers[ALGORITHM] !== undefined

/** @throws S3Error unless the request shows the key that the object, or the upload, has */
export function requireCustomerKey(request: S3Request, traits: ObjectTraits): void {
  const shown = customerKeyTraits(request)[KEY_MD5]
  const kept = traits.headers[KEY_MD5]
  if (shown === kept) return
  if (kept === undefined)
    throw new S3Error('InvalidRequest', 'The encryption parameters are not applicable to this object.')
  if (shown === undefined)
    throw new S3Error(
      'InvalidRequest',
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    )
  throw new S3Error('AccessDenied')
}

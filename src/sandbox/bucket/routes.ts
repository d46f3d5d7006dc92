/** Which operation a request is: by its method, by what it names, and by its sub-resource. */
import {type Answer, emptyAnswer, xmlAnswer} from './answer.js'
import {S3Error} from './errors.js'
import {bucketLocation, createBucket, listBuckets} from './operations/buckets.js'
import {completeUpload} from './operations/complete-upload.js'
import {copyObject} from './operations/copy-object.js'
import {createUpload} from './operations/create-upload.js'
import {deleteObject, deleteObjects} from './operations/delete-objects.js'
import {getObject, headObject} from './operations/get-object.js'
import {listObjects, listObjectsV2} from './operations/list-objects.js'
import {listParts, listUploads} from './operations/list-uploads.js'
import {putObject} from './operations/put-object.js'
import {deleteTagging, getTagging, putTagging} from './operations/tagging.js'
import {findUpload, uploadPart} from './operations/upload-part.js'
import type {S3Request} from './s3-request.js'
import type {BucketStore} from './storage/bucket-store.js'
import type {Buckets} from './storage/buckets.js'

export interface Store {
  readonly buckets: Buckets
  readonly region: string
}

type Handled = Answer | Promise<Answer>

interface Route<Handle> {
  readonly method: string
  /** Query parameters and headers that must be there. */
  readonly query?: readonly string[]
  readonly header?: string
  readonly handle: Handle
}

type ServiceHandle = (store: Store) => Handled
type BucketHandle = (request: S3Request, bucket: string, store: Store) => Handled
type ObjectHandle = (request: S3Request, bucket: BucketStore, key: string, store: Store) => Handled

const SERVICE_ROUTES = {
  ListBuckets: {method: 'GET', handle: ({buckets}) => listBuckets(buckets)},
} satisfies Record<string, Route<ServiceHandle>>

const BUCKET_ROUTES = {
  GetBucketLocation: {
    method: 'GET',
    query: ['location'],
    handle: (_, name, {buckets, region}) => {
      buckets.get(name)
      return bucketLocation(region)
    },
  },
  GetBucketVersioning: {
    method: 'GET',
    query: ['versioning'],
    handle: (_, name, {buckets}) => {
      buckets.get(name)
      return xmlAnswer('VersioningConfiguration', {})
    },
  },
  ListMultipartUploads: {
    method: 'GET',
    query: ['uploads'],
    handle: (request, name, {buckets}) => listUploads(request, buckets.get(name)),
  },
  ListObjectsV2: {
    method: 'GET',
    query: ['list-type'],
    handle: (request, name, {buckets}) => listObjectsV2(request, buckets.get(name)),
  },
  ListObjects: {
    method: 'GET',
    handle: (request, name, {buckets}) => listObjects(request, buckets.get(name)),
  },
  HeadBucket: {
    method: 'HEAD',
    handle: (_, name, {buckets, region}) => {
      buckets.get(name)
      return emptyAnswer(200, {'x-amz-bucket-region': region})
    },
  },
  CreateBucket: {
    method: 'PUT',
    handle: (request, name, {buckets, region}) => createBucket(request, buckets, name, region),
  },
  DeleteBucket: {
    method: 'DELETE',
    handle: (_, name, {buckets}) => {
      buckets.delete(name)
      return emptyAnswer(204)
    },
  },
  DeleteObjects: {
    method: 'POST',
    query: ['delete'],
    handle: (request, name, {buckets}) => deleteObjects(request, buckets.get(name)),
  },
} satisfies Record<string, Route<BucketHandle>>

const OBJECT_ROUTES = {
  GetObjectTagging: {method: 'GET', query: ['tagging'], handle: (_, bucket, key) => getTagging(bucket, key)},
  PutObjectTagging: {method: 'PUT', query: ['tagging'], handle: putTagging},
  DeleteObjectTagging: {
    method: 'DELETE',
    query: ['tagging'],
    handle: (_, bucket, key) => deleteTagging(bucket, key),
  },
  CreateMultipartUpload: {method: 'POST', query: ['uploads'], handle: createUpload},
  UploadPart: {method: 'PUT', query: ['partNumber', 'uploadId'], handle: uploadPart},
  CompleteMultipartUpload: {method: 'POST', query: ['uploadId'], handle: completeUpload},
  AbortMultipartUpload: {
    method: 'DELETE',
    query: ['uploadId'],
    handle: async (request, bucket, key) => {
      await bucket.abort(findUpload(request, bucket, key))
      return emptyAnswer(204)
    },
  },
  ListParts: {method: 'GET', query: ['uploadId'], handle: listParts},
  CopyObject: {
    method: 'PUT',
    header: 'x-amz-copy-source',
    handle: (request, bucket, key, {buckets}) => copyObject(request, buckets, bucket, key),
  },
  PutObject: {method: 'PUT', handle: putObject},
  GetObject: {method: 'GET', handle: getObject},
  HeadObject: {method: 'HEAD', handle: headObject},
  DeleteObject: {method: 'DELETE', handle: deleteObject},
} satisfies Record<string, Route<ObjectHandle>>

export type OperationName =
  keyof typeof SERVICE_ROUTES | keyof typeof BUCKET_ROUTES | keyof typeof OBJECT_ROUTES

/** Sub-resources of S3: one that no route of ours has must not be taken for a request without it. */
const SUB_RESOURCES = new Set(
  `accelerate acl analytics attributes cors delete encryption intelligent-tiering inventory legal-hold lifecycle location
  logging metadataTable metrics notification object-lock ownershipControls partNumber policy policyStatus
  publicAccessBlock renameObject replication requestPayment restore retention select session tagging torrent uploadId
  uploads versionId versioning versions website`.split(/\s+/),
)

export interface Operation {
  readonly name: OperationName
  run(request: S3Request, store: Store): Handled
}

/** @throws S3Error NotImplemented, MethodNotAllowed */
export function operationOf(request: S3Request): Operation {
  const {bucket, key} = request
  if (bucket === null) {
    const [name, route] = find<ServiceHandle>(SERVICE_ROUTES, request)
    return {name, run: (_, store) => route.handle(store)}
  }
  if (key === null) {
    const [name, route] = find<BucketHandle>(BUCKET_ROUTES, request)
    return {name, run: (request, store) => route.handle(request, bucket, store)}
  }
  const [name, route] = find<ObjectHandle>(OBJECT_ROUTES, request)
  return {name, run: (request, store) => route.handle(request, store.buckets.get(bucket), key, store)}
}

function find<Handle>(
  routes: Readonly<Record<string, Route<Handle>>>,
  {method, query, headers}: S3Request,
): [OperationName, Route<Handle>] {
  for (const [name, route] of Object.entries(routes)) {
    const wanted = route.query ?? []
    const fits =
      route.method === method &&
      wanted.every((parameter) => query.has(parameter)) &&
      (route.header === undefined || headers[route.header] !== undefined)
    if (!fits) continue
    const isOfUse = (parameter: string) =>
      wanted.includes(parameter) || (parameter === 'partNumber' && ['GET', 'HEAD'].includes(method))
    const unknown = [...query.keys()].find((parameter) => SUB_RESOURCES.has(parameter) && !isOfUse(parameter))
    if (unknown !== undefined) throw new S3Error('NotImplemented', undefined, {Query: unknown})
    if (name === 'UploadPart' && headers['x-amz-copy-source'] !== undefined)
      throw new S3Error('NotImplemented', undefined, {Header: 'x-amz-copy-source'})
    return [name as OperationName, route]
  }
  throw new S3Error('MethodNotAllowed', undefined, {Method: method})
}

import {type Answer, emptyAnswer, xmlAnswer} from '../answer.js'
import {S3Error} from '../errors.js'
import type {S3Request} from '../s3-request.js'
import type {Buckets} from '../storage/buckets.js'
import {childText, parseXml} from '../xml/read.js'
import {receiveXml} from './receiving.js'

export function listBuckets(buckets: Buckets): Answer {
  return xmlAnswer('ListAllMyBucketsResult', {
    Owner: {ID: 'sandbox', DisplayName: 'sandbox'},
    Buckets: {
      Bucket: buckets
        .all()
        .map(({name, createdMs}) => ({Name: name, CreationDate: new Date(createdMs).toISOString()})),
    },
  })
}

/** @throws S3Error InvalidBucketName, BucketAlreadyOwnedByYou, IllegalLocationConstraintException */
export async function createBucket(
  request: S3Request,
  buckets: Buckets,
  name: string,
  region: string,
): Promise<Answer> {
  const body = request.headers['content-length'] === undefined ? Buffer.alloc(0) : await receiveXml(request)
  const wanted = body.length === 0 ? region : wantedRegion(body, region)
  if (wanted !== region)
    throw new S3Error(
      'IllegalLocationConstraintException',
      `The ${wanted} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    )
  buckets.create(name, Date.now())
  return emptyAnswer(200, {location: `/${name}`})
}

function wantedRegion(body: Buffer, region: string): string {
  const configuration = parseXml(body.toString('utf8'), 'CreateBucketConfiguration')
  return childText(configuration, 'LocationConstraint') ?? region
}

/** us-east-1, the oldest one, is told by an empty element. */
export const bucketLocation = (region: string): Answer =>
  xmlAnswer('LocationConstraint', region === 'us-east-1' ? '' : region)

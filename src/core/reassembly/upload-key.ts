import {createHash} from 'node:crypto'
import type {IncomingFile} from '../ports/index.js'

/**
 * Names one upload of one file, in every process that reads it: 40 hex digits. Where the uploader gave no id, the
 * place of the earliest record stands for it, so that the same content sent once more is another upload.
 */
export function uploadKey({topic, path, sha512, uploadId, order}: IncomingFile): string {
  const upload = uploadId === null ? {partition: order.partition, offset: order.offset} : {uploadId}
  const facts = JSON.stringify({topic, path, sha512: sha512.toString('hex'), ...upload})
  return createHash('sha256').update(facts).digest('hex').slice(0, 40)
}

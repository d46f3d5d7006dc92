/** The smallest useful processor: what it returns is sent to the result topic. */
import {defineProcessor} from '../contract.js'

export const jsonMetadata = defineProcessor({
  name: 'json-metadata',
  description: 'sends the facts of each file to the result topic, as JSON',
  process(file) {
    const {topic, path, subdir, name, size, sha512, mtime, chunks, metadata, idempotencyKey} = file
    return {
      topic,
      path,
      subdir,
      name,
      size,
      sha512,
      mtime: mtime?.toISOString() ?? null,
      chunks,
      metadata,
      idempotencyKey,
    }
  },
})

import type {Buffer} from 'node:buffer'
import {promisify} from 'node:util'
import zlib from 'node:zlib'
import {BatchFault} from '../fault.js'
import type {Compress} from './compress.js'
import type {Decompress} from './decompress.js'

const gzipAsync = promisify<Buffer, Buffer>(zlib.gzip)
const gunzipAsync = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip)

/** Off the main thread, so that other partitions are served meanwhile. */
export const gunzip: Decompress = async (bytes, maxBytes) => {
  try {
    return await gunzipAsync(bytes, {maxOutputLength: maxBytes})
  } catch (error) {
    throw new BatchFault(`gzip: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Off the main thread, too. */
export const gzip: Compress = (bytes) => gzipAsync(bytes)

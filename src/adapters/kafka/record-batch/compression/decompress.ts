import type {Buffer} from 'node:buffer'

/** @throws BatchFault when the bytes cannot be read, or would become more than the limit */
export type Decompress = (bytes: Buffer, maxBytes: number) => Buffer | Promise<Buffer>

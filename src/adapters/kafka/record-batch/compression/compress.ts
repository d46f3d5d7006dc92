import type {Buffer} from 'node:buffer'

export type Compress = (bytes: Buffer) => Buffer | Promise<Buffer>

/**
 * The signatures of a signed aws-chunked body. Each covers its chunk and the signature before, and the first of them
 * that of the headers, so no chunk can be changed, left out or moved:
 *
 *     AWS4-HMAC-SHA256-PAYLOAD \n time \n scope \n signature before \n sha256 of nothing \n sha256 of the data
 *     AWS4-HMAC-SHA256-TRAILER \n time \n scope \n signature before \n sha256 of each trailer as name:value\n
 */
import {createHash, type Hash} from 'node:crypto'
import {S3Error} from '../errors.js'
import type {Authenticated} from '../signature/authenticate.js'
import {hmac, sameSignature, sha256} from '../signature/signature.js'

const NOTHING = sha256('')

export class ChunkSignatures {
  readonly #signed: Authenticated
  #previous: string
  #data: Hash = createHash('sha256')

  constructor(signed: Authenticated) {
    this.#signed = signed
    this.#previous = signed.signature
  }

  update(data: Buffer): void {
    this.#data.update(data)
  }

  endOfChunk(signature: string): void {
    this.#expect(signature, 'AWS4-HMAC-SHA256-PAYLOAD', NOTHING, this.#data.digest('hex'))
    this.#data = createHash('sha256')
  }

  endOfTrailers(trailers: ReadonlyMap<string, string>, signature: string): void {
    const text = [...trailers].map(([name, value]) => `${name}:${value}\n`).join('')
    this.#expect(signature, 'AWS4-HMAC-SHA256-TRAILER', sha256(text))
  }

  #expect(signature: string, ...[algorithm, ...hashes]: string[]): void {
    const {signing, time} = this.#signed
    const text = [algorithm, time, signing.scope, this.#previous, ...hashes].join('\n')
    const expected = hmac(signing.key, text).toString('hex')
    if (!sameSignature(expected, signature))
      throw new S3Error('SignatureDoesNotMatch', 'The signature of a chunk does not match.')
    this.#previous = signature
  }
}

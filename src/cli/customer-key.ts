/** The key of `--sse-c-key-file`. What is in the file is never part of a message. */
import {readFile} from 'node:fs/promises'
import {StreamtoolError} from '../core/errors.js'

const KEY_BYTES = 32
/** Enough for each way of writing it, with white space around. */
const MOST_BYTES = 1024

/** @throws SETTING_INVALID */
export async function readCustomerKey(file: string): Promise<Buffer> {
  const content = await readFile(file).catch((thrown: unknown) => {
    const why = thrown instanceof Error && 'code' in thrown ? ` (${String(thrown.code)})` : ''
    throw unusable(file, `cannot be read${why}`)
  })
  const key = content.length <= MOST_BYTES ? keyIn(content) : null
  if (key !== null) return key
  throw unusable(file, `holds no key of ${KEY_BYTES} bytes`)
}

function keyIn(content: Buffer): Buffer | null {
  if (content.length === KEY_BYTES) return content
  const text = content.toString('latin1').trim()
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex')
  return /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, 'base64') : null
}

const unusable = (file: string, why: string): StreamtoolError =>
  new StreamtoolError('SETTING_INVALID', `--sse-c-key-file: ${file} ${why}.`, {
    facts: {file},
    suggestions: [
      'Make one with `openssl rand -base64 32`, and keep it safe: without it nobody can read the objects.',
    ],
  })

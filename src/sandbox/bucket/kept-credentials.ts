/** The credentials of the sandbox: its own, made at the first start, so that no web page can know them beforehand. */
import {randomBytes} from 'node:crypto'
import {join} from 'node:path'
import {readJsonFile, writeJsonFile} from './storage/json-file.js'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export function keptCredentials(dir: string): Credentials {
  const path = join(dir, 'credentials.json')
  const kept = readJsonFile(path) as Credentials | null
  if (kept !== null) return kept
  const made = {accessKeyId: 'sandbox', secretAccessKey: randomBytes(20).toString('hex')}
  writeJsonFile(path, made)
  return made
}

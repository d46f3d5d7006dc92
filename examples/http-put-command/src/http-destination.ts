/**
 * Files that are PUT to a web server. The bytes of a file are gathered in a temporary one; only when size and hash are
 * verified does the server hear of it, so it never has half a file, or a wrong one.
 */
import {createReadStream} from 'node:fs'
import {appendFile, mkdtemp, rm, writeFile} from 'node:fs/promises'
import {request as httpRequest} from 'node:http'
import {request as httpsRequest} from 'node:https'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import {StreamtoolError} from 'streamtool'
import type {Destination, FileWriter, FinishOutcome, IncomingFile} from 'streamtool/cli'

const SILENCE_MS = 60_000

export class HttpDestination implements Destination {
  #opened = 0

  private constructor(
    private readonly base: URL,
    private readonly directory: string,
    private readonly stop: AbortSignal,
  ) {}

  /** @throws SETTING_INVALID */
  static async below(url: string, stop: AbortSignal): Promise<HttpDestination> {
    const base = URL.canParse(url) ? new URL(url) : null
    if (base === null || !['http:', 'https:'].includes(base.protocol))
      throw new StreamtoolError('SETTING_INVALID', '--url must be an http or https URL.')
    if (!base.pathname.endsWith('/')) base.pathname += '/'
    return new HttpDestination(base, await mkdtemp(join(tmpdir(), 'http-put-')), stop)
  }

  async open(file: IncomingFile, signal: AbortSignal): Promise<FileWriter> {
    const gathered = join(this.directory, String(++this.#opened))
    await writeFile(gathered, '', {flag: 'wx', mode: 0o600})
    return {
      write: (data) => appendFile(gathered, data),
      finish: async (sizeBytes): Promise<FinishOutcome> => {
        await this.#put(file, gathered, sizeBytes, AbortSignal.any([signal, this.stop]))
        await rm(gathered)
        return 'delivered'
      },
      discard: () => rm(gathered, {force: true}),
    }
  }

  /** The server is not asked what it has: after a crash the last files may be PUT once more. */
  async recall(): Promise<'nothing'> {
    return 'nothing'
  }

  close(): Promise<void> {
    return rm(this.directory, {recursive: true, force: true})
  }

  async #put(file: IncomingFile, gathered: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    const url = new URL(file.path.split('/').map(encodeURIComponent).join('/'), this.base)
    const status = await put(url, gathered, signal, {
      'content-length': sizeBytes,
      'content-type': file.metadata['content-type'] ?? 'application/octet-stream',
      'repr-digest': `sha-512=:${file.sha512.toString('base64')}:`,
    }).catch((thrown: unknown) => {
      // Any code of the family will do; with this one the file is held, and tried again at the next start.
      throw new StreamtoolError(
        'FILE_HELD',
        `${file.path} could not be PUT to ${url.host}: ${String(thrown)}`,
      )
    })
    if (status < 200 || status >= 300)
      throw new StreamtoolError('FILE_HELD', `${url.host} answered ${status} to the PUT of ${file.path}.`)
  }
}

/** @returns the status of the answer */
async function put(
  url: URL,
  content: string,
  signal: AbortSignal,
  headers: Record<string, string | number>,
): Promise<number> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  const sending = request(url, {method: 'PUT', headers, signal, timeout: SILENCE_MS})
  sending.on('timeout', () => sending.destroy(new Error(`no answer for ${SILENCE_MS / 1000} s`)))
  const answered = new Promise<number>((resolve, reject) => {
    sending.on('error', reject)
    sending.on('response', (response) => {
      response.on('error', reject)
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.resume()
    })
  })
  const [status] = await Promise.all([answered, pipeline(createReadStream(content), sending)])
  return status
}

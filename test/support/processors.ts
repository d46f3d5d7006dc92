/** A processor as a user would write one, and what it tells of its calls. */
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'

/** One call of `process`: its beginning, or its end when it succeeded. */
export interface Call {
  readonly phase: 'begin' | 'end'
  readonly path: string
  readonly attempt: number
  readonly key: string
  readonly sha512: string
}

/**
 * Notes each call in `calls.jsonl` in the output directory. Of every third file, by the number in its name, it throws
 * while `--fail-thirds`; it takes `--sleep-ms`; `--crash-once` has it end its process at the first attempt on a file
 * whose number ends in 7.
 */
const NOTING = `
import {appendFileSync} from 'node:fs'
import {createHash} from 'node:crypto'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'

export default {
  name: 'noting',
  flags: {
    failThirds: {type: 'boolean', description: 'fail on every third file'},
    crashOnce: {type: 'boolean', description: 'end the process at the first attempt on some files'},
    sleepMs: {type: 'number', default: 0, min: 0, description: 'how long it takes over each file'},
    label: {type: 'string', choices: ['Plain', 'Fancy'], default: 'Plain'},
  },
  async process(file, {options, outputDir, signal, log}) {
    const number = Number(/(\\d+)/.exec(file.name)?.[1] ?? 0)
    const bytes = await file.bytes()
    const sha512 = createHash('sha512').update(bytes).digest('hex')
    const note = (phase) =>
      appendFileSync(
        join(outputDir, 'calls.jsonl'),
        JSON.stringify({phase, path: file.path, attempt: file.attempt, key: file.idempotencyKey, sha512}) + '\\n',
      )
    note('begin')
    log.debug('called', {options})
    if (options.crashOnce && number % 10 === 7 && file.attempt === 1) process.abort()
    if (options.sleepMs > 0) await sleep(options.sleepMs, undefined, {signal})
    if (options.failThirds && number % 3 === 0) throw new Error('number ' + number + ' is a third')
    note('end')
  },
}
`

/** @returns its path */
export async function writeNotingProcessor(directory: string): Promise<string> {
  const file = join(directory, 'noting.mjs')
  await writeFile(file, NOTING)
  return file
}

export async function callsOf(output: string): Promise<Call[]> {
  const text = await readFile(join(output, 'calls.jsonl'), 'utf8').catch(() => '')
  // A process that was killed may have left half a line.
  return text.split('\n').flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as Call] : []))
}

/**
 * Delivers files to a directory until it is killed: several generations of each of a few hundred paths, side by
 * side. Prints `path generation` when a finish has resolved. With `hold`, one file is left open for ever.
 *
 * Content says what it must be: `path generation` lines up to a length that depends on both.
 */
import {createDirectoryDestination} from '../../../../../src/adapters/files/directory-destination.js'
import {systemClock} from '../../../../../src/adapters/system/clock.js'
import {incomingFile} from '../../../../support/incoming-file.js'
import {noSteps, recordedLog} from '../../../../support/quiet.js'

export function contentOf(path: string, generation: number): Buffer {
  const line = `${path} ${generation}\n`
  return Buffer.from(line.repeat(1 + ((path.length * 37 + generation * 101) % 900)))
}

const PATHS = 300
const SIDE_BY_SIDE = 24

async function run(root: string, mode: string | undefined): Promise<void> {
  const destination = await createDirectoryDestination({
    root,
    concurrency: 16,
    clock: systemClock,
    logger: recordedLog(),
    steps: noSteps,
  })
  const {signal} = new AbortController()
  const deliver = async (turn: number, chunkCount: number): Promise<void> => {
    const path = `d${turn % 5}/f${turn % PATHS}`
    const generation = Math.floor(turn / PATHS)
    const content = contentOf(path, generation)
    const facts = {chunkCount, offset: turn, timestampMs: turn, uploadId: `${turn}`, mtimeMs: 1e12 + turn}
    const writer = await destination.open(incomingFile(path, content, facts), signal)
    const half = content.length >> 1
    if (chunkCount === 1) await writer.write(content)
    else for (const piece of [content.subarray(0, half), content.subarray(half)]) await writer.write(piece)
    if (mode === 'hold') return
    await writer.finish(content.length)
    process.stdout.write(`${path} ${generation}\n`)
  }
  if (mode === 'hold') {
    await deliver(0, 2)
    process.stdout.write('holding\n')
    setInterval(() => undefined, 1000)
    return
  }
  let turn = 0
  const one = async (): Promise<void> => {
    for (;;) {
      turn += 1
      await deliver(turn, 1 + (turn % 2))
    }
  }
  await Promise.all(Array.from({length: SIDE_BY_SIDE}, one))
}

const [script, root, mode] = process.argv.slice(1)
if (root !== undefined && script?.endsWith('deliver.ts')) await run(root, mode)

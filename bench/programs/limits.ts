/** What the machine allows: the same bytes through kcat (librdkafka), and files written with nothing before them. */
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import type {InputFiles} from '../input-files.js'
import {measure} from '../measured-process.js'
import type {Downloader, Surroundings, Uploader} from './program.js'

const PIECE_BYTES = 524_288
const WRITE_FILES = fileURLToPath(new URL('../limits/write-files.mjs', import.meta.url))

export function kcatProduce({bootstrap, brokerPid, home}: Surroundings): Uploader {
  let pieces: readonly string[] = []
  return {
    name: 'kcat -P',
    async prepare(input) {
      pieces = await asPieces(input, join(home, 'pieces'))
    },
    async upload(_input, topic) {
      const args = ['-P', '-q', '-b', bootstrap, '-t', topic, ...pieces]
      return (await measure({program: 'kcat', args, cwd: home}, brokerPid)).usage
    },
  }
}

export function kcatConsume({bootstrap, brokerPid, home}: Surroundings): Downloader {
  return {
    name: 'kcat -C',
    ownFiles: null,
    async download(topic) {
      const args = [
        '-C',
        '-q',
        '-e',
        '-b',
        bootstrap,
        '-t',
        topic,
        '-o',
        'beginning',
        '-f',
        '',
        '-X',
        'fetch.wait.max.ms=10',
      ]
      return (await measure({program: 'kcat', args, cwd: home}, brokerPid)).usage
    },
  }
}

/** No Kafka in it: what writing that many files safely takes by itself. */
export function plainWriter({home}: Surroundings): Downloader {
  return {
    name: 'node: write, fsync, rename',
    ownFiles: /^$/,
    async download(_topic, input, output) {
      const args = [WRITE_FILES, input.directory, output]
      return (await measure({program: process.execPath, args, cwd: home}, null)).usage
    },
  }
}

/** kcat sends each file it is given as one record, so large ones are cut first. */
async function asPieces({directory, files}: InputFiles, place: string): Promise<string[]> {
  const pieces: string[] = []
  for (const {path, bytes} of files) {
    const whole = join(directory, path)
    if (bytes <= PIECE_BYTES) {
      pieces.push(whole)
      continue
    }
    await mkdir(place, {recursive: true})
    const content = await readFile(whole)
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      const piece = join(place, `${path}-${at}`)
      await writeFile(piece, content.subarray(at, at + PIECE_BYTES))
      pieces.push(piece)
    }
  }
  return pieces
}

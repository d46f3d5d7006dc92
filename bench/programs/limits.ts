/**
 * What the machine allows: the same bytes through kcat (librdkafka), files written with nothing before them, and records
 * passed on by a loop around kafkajs, and files put into a bucket as they are.
 */
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import type {InputFile, InputFiles} from '../input-files.js'
import {measure} from '../measured-process.js'
import type {Store} from '../store.js'
import type {Downloader, Relayer, Storer, Surroundings, Uploader} from './program.js'

const PIECE_BYTES = 524_288
const WRITE_FILES = fileURLToPath(new URL('../limits/write-files.mjs', import.meta.url))
const PUT_OBJECTS = fileURLToPath(new URL('../limits/put-objects.mjs', import.meta.url))
const RELAY_RECORDS = fileURLToPath(new URL('../limits/relay-records.mjs', import.meta.url))

export function kcatProduce({bootstrap, servers, home}: Surroundings): Uploader {
  return {
    name: 'kcat -P',
    prepare: (input) => asPieces(input, join(home, 'pieces')),
    async upload({directory, files}, topic) {
      const paths = files.map(({path}) => join(directory, path))
      const args = ['-P', '-q', '-b', bootstrap, '-t', topic, ...paths]
      return (await measure({program: 'kcat', args, cwd: home}, servers)).usage
    },
  }
}

export function kcatConsume({bootstrap, servers, home}: Surroundings): Downloader {
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
      return (await measure({program: 'kcat', args, cwd: home}, servers)).usage
    },
  }
}

/** No Kafka in it: what writing that many files safely takes by itself. */
export function plainWriter({servers, home}: Surroundings): Downloader {
  return {
    name: 'node: write, fsync, rename',
    ownFiles: /^$/,
    readsNoTopic: true,
    async download(_topic, input, output) {
      const args = [WRITE_FILES, input.directory, output]
      return (await measure({program: process.execPath, args, cwd: home}, servers)).usage
    },
  }
}

/** No Kafka in it: what the store takes. */
export function plainPutter({servers, home}: Surroundings, {access}: Store): Storer {
  const env = {
    ...process.env,
    S3_ENDPOINT: access.endpoint,
    S3_REGION: access.region,
    AWS_ACCESS_KEY_ID: access.accessKeyId,
    AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
  }
  return {
    name: 'node: PUT of each file',
    readsNoTopic: true,
    async store(topic, input, bucket) {
      const args = [PUT_OBJECTS, input.directory, bucket, topic]
      return (await measure({program: process.execPath, args, cwd: home, env}, servers)).usage
    },
  }
}

/** What everybody writes first: consume a batch, produce it, commit. */
export function kafkajsRelay({bootstrap, servers, home}: Surroundings): Relayer {
  return {
    name: 'kafkajs consume and produce',
    async relay(input, output) {
      const args = [RELAY_RECORDS, bootstrap, input, output]
      return (await measure({program: process.execPath, args, cwd: home}, servers)).usage
    },
  }
}

/** kcat sends each file it is given as one record, so large ones are cut first. */
async function asPieces(input: InputFiles, place: string): Promise<InputFiles> {
  if (input.files.every(({bytes}) => bytes <= PIECE_BYTES)) return input
  await rm(place, {recursive: true, force: true})
  await mkdir(place)
  const files: InputFile[] = []
  for (const {path, bytes} of input.files) {
    const content = await readFile(join(input.directory, path))
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      const piece = content.subarray(at, at + PIECE_BYTES)
      files.push({path: `${path}-${at}`, bytes: piece.length})
      await writeFile(join(place, `${path}-${at}`), piece)
    }
  }
  return {...input, directory: place, files}
}

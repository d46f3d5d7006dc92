/**
 * npm run demo [-- --brokers host:9092] [--large-mib 300]
 *
 * Sends a directory of varied files through Kafka, into another directory and into a bucket, and compares every byte.
 * Without brokers it starts the sandbox; with brokers there is no bucket. What it prints is what a person would type, and what they would see.
 */
import {spawn} from 'node:child_process'
import {mkdir, mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'
import {compareBucket} from './bucket.mjs'
import {compareDirectories} from './compare.mjs'
import {listFiles, makeFiles} from './files.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = join(root, 'bin', 'run.js')

const {values} = parseArgs({
  options: {
    brokers: {type: 'string', default: process.env.STREAMTOOL_BROKERS ?? ''},
    'large-mib': {type: 'string', default: '300'},
  },
})
const work = await mkdtemp(join(tmpdir(), 'streamtool-demo-'))
const children = new Set()
try {
  process.exitCode = await demo()
} finally {
  for (const child of children) child.kill('SIGKILL')
  await rm(work, {recursive: true, force: true})
}

async function demo() {
  const topic = `demo-${Date.now().toString(36)}`
  say('A directory of files: empty ones, odd names, a deep tree, many small ones and a large one.')
  await mkdir(join(work, 'files'))
  await makeFiles(join(work, 'files'), {largeMiB: Number(values['large-mib']), sources: join(root, 'src')})
  say(`  ${(await listFiles(join(work, 'files'))).length} files in ./files`)

  const sandbox = values.brokers ? null : await startSandbox()
  const environment = {...process.env, ...(sandbox ?? {STREAMTOOL_BROKERS: values.brokers})}
  const streamtool = (...args) => run(args, environment)

  say('\nEach file is cut into chunks, and each chunk becomes one Kafka record:')
  if ((await streamtool('upload', './files', '--topic', topic)) !== 0) return 1
  say('\nElsewhere, the files are put together again. One appears only when it is whole and verified:')
  if ((await streamtool('reconstruct', '--topic', topic, '--output', './received', '--once')) !== 0) return 1
  say('\nA second run knows what was done:')
  if ((await streamtool('reconstruct', '--topic', topic, '--output', './received', '--once')) !== 0) return 1

  say('\nComparing every byte, and every time of modification:')
  const {files, bytes, differences} = await compareDirectories(join(work, 'files'), join(work, 'received'))
  for (const difference of differences) say(`  ${difference}`)
  if (differences.length > 0) return 1
  say(`  ${files} files, ${mebibytes(bytes)}: identical.`)
  return sandbox === null ? 0 : fillBucket(streamtool, topic, sandbox)
}

async function fillBucket(streamtool, topic, sandbox) {
  const bucket = sandbox.STREAMTOOL_BUCKET
  say('\nThe same files into a bucket. The store itself verifies each whole object before it shows it:')
  if ((await streamtool('s3-transfer', '--topic', topic, '--bucket', bucket, '--once')) !== 0) return 1
  say('\nReading every object back, and comparing every byte:')
  const place = {bucket, prefix: `${topic}/`, environment: sandbox}
  const {objects, bytes, differences} = await compareBucket(join(work, 'files'), place)
  for (const difference of differences) say(`  ${difference}`)
  if (differences.length > 0) return 1
  say(`  ${objects} objects, ${mebibytes(bytes)}: identical.`)
  return 0
}

function mebibytes(bytes) {
  return `${(bytes / 1048576).toFixed(1)} MiB`
}

/** @returns {Promise<Record<string, string>>} the environment that it prints, once it takes connections */
async function startSandbox() {
  say('\nA broker and a bucket to try it with. They need nothing but Node; for real work use Apache Kafka:')
  say('$ streamtool sandbox')
  const child = start(
    ['sandbox', '--dir', join(work, 'sandbox'), '--kafka-port', '0', '--s3-port', '0'],
    process.env,
    'pipe',
  )
  for await (const line of createInterface({input: child.stdout})) {
    say(`  ${line}`)
    if (!line.startsWith('export ')) continue
    return Object.fromEntries(
      line
        .slice('export '.length)
        .split(' ')
        .map((each) => each.split('=', 2)),
    )
  }
  throw new Error('the sandbox ended before it was ready')
}

async function run(args, environment) {
  say(`$ streamtool ${args.join(' ')}`)
  const child = start(args, environment, 'inherit')
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}

function start(args, env, stdout) {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: work,
    env,
    stdio: ['ignore', stdout, 'inherit'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

function say(line) {
  process.stdout.write(`${line}\n`)
}

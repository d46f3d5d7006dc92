import {readFile} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'
import {run} from '../test/support/processes.js'
import {VERSITYGW_VERSION} from '../test/support/versitygw.js'
import type {Programs} from './programs/programs.js'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

/** Of everything that takes part, as it says itself. */
export async function versionsOf({openMsiStream, plainPutter}: Programs): Promise<Record<string, string>> {
  const {version} = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')) as {version: string}
  const pom = await readFile(`${ROOT}test/support/kafka/pom.xml`, 'utf8')
  const kafka = /<kafka\.version>(.+)<\/kafka\.version>/.exec(pom)?.[1] ?? 'unknown'
  const java = /version "(.+?)"/.exec((await run('java', ['-version'])).stderr)?.[1] ?? 'unknown'
  return {
    streamtool: `${version}${await commit()}`,
    Node: process.version.slice(1),
    'Apache Kafka': `${kafka}, on Java ${java}`,
    ...(openMsiStream !== null && {OpenMSIStream: `${openMsiStream.version}, on ${openMsiStream.platform}`}),
    ...(plainPutter !== null && {versitygw: VERSITYGW_VERSION.slice(1)}),
    ...(await kcatVersion()),
  }
}

async function commit(): Promise<string> {
  const {exitCode, stdout} = await run('git', ['describe', '--always', '--dirty', '--exclude=*'], {
    cwd: ROOT,
  }).catch(() => ({exitCode: 1, stdout: ''}))
  return exitCode === 0 ? ` (${stdout.trim()})` : ''
}

async function kcatVersion(): Promise<Record<string, string>> {
  const answer = await run('kcat', ['-V']).catch(() => null)
  const [, kcat, librdkafka] = /Version (\S+) .*librdkafka (\S+)/.exec(answer?.stdout ?? '') ?? []
  return kcat === undefined ? {} : {kcat: `${kcat}, on librdkafka ${librdkafka ?? 'unknown'}`}
}

import {cp, mkdir, symlink} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {runOrThrow} from '../../test/support/processes.js'
import {measure} from '../measured-process.js'
import type {Store} from '../store.js'
import type {DeliverReport, RelayReport, UploadReport} from '../../src/core/report.js'
import type {Downloader, Relayer, Storer, Surroundings, Uploader} from './program.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Streamtool {
  /** The script to give to node. */
  readonly script: string
  readonly upload: Uploader
  readonly reconstruct: Downloader
  readonly passthrough: Relayer
  /** Null without a store. */
  readonly s3Transfer: Storer | null
}

/** Builds it and lays it out as npm installs it, so that nothing which changes in the tree is measured. */
export async function installStreamtool(surroundings: Surroundings): Promise<Streamtool> {
  const {bootstrap, servers, store, home} = surroundings
  const script = await layOut(join(home, 'streamtool'))
  const start = (...args: string[]) =>
    measure(
      {
        program: process.execPath,
        args: [script, ...args, '--brokers', bootstrap, '--json'],
        cwd: home,
        env: {
          ...process.env,
          XDG_STATE_HOME: join(home, 'state'),
          XDG_CONFIG_HOME: join(home, 'config'),
          ...(store !== null && environmentOf(store)),
        },
      },
      servers,
    )
  return {
    script,
    upload: {
      name: 'streamtool upload',
      async upload({directory, files}, topic) {
        const {usage, stdout} = await start('upload', directory, '--topic', topic)
        const {uploaded} = (JSON.parse(stdout) as UploadReport).files
        if (uploaded !== files.length)
          throw new Error(`streamtool uploaded ${uploaded} of ${files.length} files`)
        return usage
      },
    },
    reconstruct: {
      name: 'streamtool reconstruct --once',
      ownFiles: /^\.streamtool\//,
      async download(topic, {files}, output) {
        const {usage, stdout} = await start('reconstruct', '--once', '--topic', topic, '--output', output)
        const {delivered} = (JSON.parse(stdout) as DeliverReport).files
        if (delivered !== files.length)
          throw new Error(`streamtool delivered ${delivered} of ${files.length} files`)
        return usage
      },
    },
    passthrough: {
      name: 'streamtool passthrough --once',
      async relay(input, output) {
        const {usage, stdout} = await start('passthrough', '--once', '--input', input, '--output', output)
        const {read, written} = (JSON.parse(stdout) as RelayReport).records
        if (read !== written) throw new Error(`streamtool passed on ${written} of ${read} records`)
        return usage
      },
    },
    s3Transfer: store && {
      name: 'streamtool s3-transfer --once',
      async store(topic, {files}, bucket) {
        const {usage, stdout} = await start('s3-transfer', '--once', '--topic', topic, '--bucket', bucket)
        const {delivered} = (JSON.parse(stdout) as DeliverReport).files
        if (delivered !== files.length)
          throw new Error(`streamtool stored ${delivered} of ${files.length} files`)
        return usage
      },
    },
  }
}

const environmentOf = ({access}: Store) => ({
  AWS_ENDPOINT_URL_S3: access.endpoint,
  AWS_REGION: access.region,
  AWS_ACCESS_KEY_ID: access.accessKeyId,
  AWS_SECRET_ACCESS_KEY: access.secretAccessKey,
})

async function layOut(place: string): Promise<string> {
  const inTree = (...path: string[]) => join(ROOT, ...path)
  await mkdir(place, {recursive: true})
  await cp(inTree('package.json'), join(place, 'package.json'))
  await cp(inTree('bin'), join(place, 'bin'), {recursive: true})
  await symlink(inTree('node_modules'), join(place, 'node_modules'))
  const tsc = inTree('node_modules', 'typescript', 'bin', 'tsc')
  const project = ['-p', inTree('tsconfig.build.json'), '--outDir', join(place, 'dist')]
  await runOrThrow(process.execPath, [tsc, ...project])
  const oclif = inTree('node_modules', 'oclif', 'bin', 'run.js')
  await runOrThrow(process.execPath, [oclif, 'manifest', place], {cwd: place})
  return join(place, 'bin', 'run.js')
}

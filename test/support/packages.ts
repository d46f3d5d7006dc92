/**
 * Packages as their users have them, without a registry: streamtool is packed from this tree and installed; what it
 * depends on is linked from ours, in a node_modules above.
 *
 *     <place>/node_modules/           links: typescript, kafkajs, …, and streamtool -> installed/node_modules/streamtool
 *     <place>/installed/              where streamtool's tarball was installed with npm
 *     <place>/data/                   where `streamtool plugins install` puts plugins
 *     <place>/<whatever is copied>    finds all of these, as its own node_modules would
 */
import {existsSync} from 'node:fs'
import {cp, mkdir, readdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {type Finished, run, type RunOptions, runOrThrow} from './processes.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Manifest {
  readonly files: readonly string[]
}

export interface PackagedStreamtool {
  /** Made of this tree, and depending on nothing. */
  readonly tarball: string
  /** Runs the installed program. */
  streamtool(args: readonly string[], options?: RunOptions): Promise<Finished>
  /** A copy of an example that finds its dependencies. */
  place(name: string, from: string): Promise<string>
  /** For a package that is to be installed: what it depends on while it is developed, as files. */
  readonly developing: Readonly<Record<string, string>>
  /** Directory for more. */
  readonly root: string
}

/** Nobody listens there: what is fetched all the same fails. */
const NO_REGISTRY = {npm_config_registry: 'http://127.0.0.1:1', npm_config_fetch_retries: '0'}

export async function packageStreamtool(root: string): Promise<PackagedStreamtool> {
  const tarball = await packOurselves(root)
  await linkDependencies(root)
  const installed = join(root, 'installed')
  await mkdir(installed)
  await writeFile(join(installed, 'package.json'), '{"private": true}')
  await npm(['install', tarball], {cwd: installed})
  const package_ = join(installed, 'node_modules', 'streamtool')
  // oclif looks into it for the plugins that belong to streamtool.
  await cp(join(ROOT, 'package.json'), join(package_, 'package.json'))
  await symlink(package_, join(root, 'node_modules', 'streamtool'))
  const environment = {...process.env, ...NO_REGISTRY, STREAMTOOL_DATA_DIR: join(root, 'data')}
  return {
    tarball,
    root,
    developing: {
      streamtool: `file:${tarball}`,
      typescript: `file:${join(ROOT, 'node_modules', 'typescript')}`,
      '@types/node': `file:${join(ROOT, 'node_modules', '@types', 'node')}`,
    },
    streamtool: (args, {env, ...options} = {}) =>
      run(process.execPath, [join(package_, 'bin', 'run.js'), ...args], {
        cwd: root,
        ...options,
        env: {...environment, ...env},
      }),
    async place(name, from) {
      const directory = join(root, name)
      await cp(from, directory, {recursive: true, filter: (path) => !/node_modules|dist$/.test(path)})
      return directory
    },
  }
}

/** @throws with all that npm said, unless it exits with 0 */
export async function npm(args: readonly string[], options: RunOptions): Promise<string> {
  const env = {...process.env, ...NO_REGISTRY, npm_config_audit: 'false', npm_config_fund: 'false'}
  return (await runOrThrow('npm', args, {...options, env})).stdout
}

/**
 * @param options.built its scripts need not run again
 * @returns the tarball
 */
export async function pack(directory: string, {built = false} = {}): Promise<string> {
  const said = await npm(['pack', '--silent', ...(built ? ['--ignore-scripts'] : [])], {cwd: directory})
  return join(directory, said.trim().split('\n').at(-1)!)
}

/** Only what `files` of package.json names, so that what it forgets is missing here too. */
async function packOurselves(root: string): Promise<string> {
  const staged = join(root, 'streamtool')
  await mkdir(staged)
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest
  for (const name of manifest.files)
    // The list of commands is made when streamtool is packed for others; npm test makes it, too.
    if (name !== 'oclif.manifest.json' || existsSync(join(ROOT, name)))
      await cp(join(ROOT, name), join(staged, name), {recursive: true})
  const alone = {...manifest, dependencies: {}, optionalDependencies: {}, devDependencies: {}, scripts: {}}
  await writeFile(join(staged, 'package.json'), JSON.stringify(alone))
  return pack(staged)
}

async function linkDependencies(root: string): Promise<void> {
  const ours = join(ROOT, 'node_modules')
  const target = join(root, 'node_modules')
  await mkdir(target)
  for (const name of await readdir(ours))
    if (name !== 'streamtool') await symlink(join(ours, name), join(target, name))
}

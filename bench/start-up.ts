/** How long a program takes to say how it is used, beside what that costs at least. */
import {mkdir, symlink, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {run, runOrThrow} from '../test/support/processes.js'
import {median, type StartUpResult} from './results.js'
import type {Programs} from './programs/programs.js'

export interface StartUpCommand {
  readonly name: string
  readonly line: readonly [string, ...string[]]
}

export const EMPTY_CLI = 'empty oclif command line, --help'
export const OUR_HELP = 'streamtool --help'

export async function startUpCommands(
  {streamtool, openMsiStream}: Programs,
  home: string,
): Promise<StartUpCommand[]> {
  const node = process.execPath
  const empty = await layOutEmptyCli(streamtool.script, join(home, 'empty-cli'))
  const commands: StartUpCommand[] = [
    {name: 'node -e 0', line: [node, '-e', '0']},
    {name: EMPTY_CLI, line: [node, empty, '--help']},
    {name: OUR_HELP, line: [node, streamtool.script, '--help']},
    {name: 'streamtool upload --help', line: [node, streamtool.script, 'upload', '--help']},
  ]
  if (openMsiStream !== null) {
    const program = join(openMsiStream.programs, 'DataFileUploadDirectory')
    commands.push({name: 'DataFileUploadDirectory --help', line: [program, '--help']})
  }
  return commands
}

/** They take turns; the first round, in which files are read from the disk, does not count. */
export async function measureStartUp(
  commands: readonly StartUpCommand[],
  rounds: number,
): Promise<StartUpResult[]> {
  const results = commands.map(({name}) => ({command: name, seconds: [] as number[]}))
  for (let round = 0; round <= rounds; round++)
    for (const [i, {line}] of commands.entries()) {
      const [program, ...args] = line
      const started = performance.now()
      const {exitCode, stderr} = await run(program, args)
      if (exitCode !== 0) throw new Error(`${line.join(' ')}: ${stderr}`)
      if (round > 0) results[i]!.seconds.push((performance.now() - started) / 1000)
    }
  return results
}

export const medianSeconds = (results: readonly StartUpResult[], command: string): number | null => {
  const found = results.find((result) => result.command === command)
  return found === undefined ? null : median(found.seconds)
}

/** As `oclif generate` writes it, but with compiled code kept between runs, as ours does. */
const EMPTY_BIN = `#!/usr/bin/env node
import module from 'node:module'
module.enableCompileCache?.()
const {execute} = await import('@oclif/core')
await execute({dir: import.meta.url})
`

/** With a manifest, as ours, and one command that does nothing. */
async function layOutEmptyCli(script: string, place: string): Promise<string> {
  const ours = dirname(dirname(script))
  await mkdir(join(place, 'commands'), {recursive: true})
  await mkdir(join(place, 'bin'))
  await writeFile(join(place, 'bin', 'run.js'), EMPTY_BIN)
  await symlink(join(ours, 'node_modules'), join(place, 'node_modules'))
  const oclif = {bin: 'empty', dirname: 'empty', commands: './commands'}
  const manifest = {name: 'empty', version: '1.0.0', type: 'module', files: ['oclif.manifest.json'], oclif}
  await writeFile(join(place, 'package.json'), JSON.stringify(manifest))
  await writeFile(
    join(place, 'commands', 'nothing.js'),
    `import {Command} from '@oclif/core'
export default class Nothing extends Command {
  static summary = 'Do nothing.'
  async run() {}
}
`,
  )
  const program = join(ours, 'node_modules', 'oclif', 'bin', 'run.js')
  await runOrThrow(process.execPath, [program, 'manifest', place], {cwd: place})
  return join(place, 'bin', 'run.js')
}

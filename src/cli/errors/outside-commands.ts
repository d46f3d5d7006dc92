/** Errors that no command of ours caught: plugins that cannot be loaded or installed, hooks, what oclif itself throws. */
import {Config} from '@oclif/core'
import {asStreamtoolError, StreamtoolError} from '../../core/errors.js'
import {earlyOutput} from '../output/early.js'
import {packageRoot} from '../plugins/stand-in.js'
import {isExit} from './exit.js'
import {asUsageError} from './usage.js'

const LINGER_MS = 5_000

export async function explainOutsideCommands(
  thrown: unknown,
  argv: readonly string[],
  bin: string,
): Promise<void> {
  setTimeout(() => process.exit(), LINGER_MS).unref()
  if (isExit(thrown)) {
    process.exitCode = thrown.oclif.exit
    return
  }
  const command = await commandOf(argv, bin)
  const error = inOurWords(thrown, command)
  await earlyOutput(command?.name ?? null, argv, process.env).fail(error)
  process.exitCode = error.exitCode
}

interface KnownCommand {
  /** As users write it. */
  readonly name: string
  readonly plugin: string
  /** Comes with streamtool. */
  readonly ours: boolean
}

function inOurWords(thrown: unknown, command: KnownCommand | null): StreamtoolError {
  if (thrown instanceof StreamtoolError || command === null) return asStreamtoolError(thrown)
  const {name, plugin, ours} = command
  if (thrown instanceof Error && 'parse' in thrown) {
    const usage = asUsageError(thrown, name, [])
    if (usage !== null) return usage
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (plugin === '@oclif/plugin-plugins')
    return new StreamtoolError('PLUGIN_NOT_INSTALLED', message, {cause: thrown, suggestions: INSTALLING})
  if (ours) return asStreamtoolError(thrown)
  return new StreamtoolError('PLUGIN_UNLOADABLE', `The plugin ${plugin} cannot run ${name}: ${message}`, {
    cause: thrown,
    suggestions: [
      'Ask its author, or install another version of it.',
      `\`streamtool plugins uninstall ${plugin}\` removes it.`,
    ],
  })
}

const INSTALLING = [
  'A package of the registry is named (name, name@1.2.0), a tarball by its path: ./package.tgz.',
  'STREAMTOOL_NPM_REGISTRY names another registry; STREAMTOOL_NPM_LOG_LEVEL=verbose shows what npm does.',
]

async function commandOf(argv: readonly string[], bin: string): Promise<KnownCommand | null> {
  const config = await Config.load(bin)
  const flags = argv.findIndex((word) => word.startsWith('-'))
  const words = flags === -1 ? argv : argv.slice(0, flags)
  for (let count = words.length; count > 0; count--) {
    const found = config.findCommand(words.slice(0, count).join(':'))
    if (found === undefined) continue
    const plugin = found.pluginName ?? ''
    return {
      name: found.id.replaceAll(':', ' '),
      plugin,
      ours: config.plugins.get(plugin)?.root === packageRoot,
    }
  }
  return null
}

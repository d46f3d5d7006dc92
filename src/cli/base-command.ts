/**
 * What every command of streamtool is built on: it reads the settings from all their layers, hands them over together
 * with the output, and owns every error, so that exit codes and error objects are the same whatever went wrong.
 */
import {Command, type Interfaces} from '@oclif/core'
import {asStreamtoolError, StreamtoolError} from '../core/errors.js'
import {isExit} from './errors/exit.js'
import type {Output} from './output/output.js'
import type {outputSettings} from './settings/groups/output.js'
import type {Property} from './settings/layers.js'
import {keyName, type Settings, type Values} from './settings/setting.js'

export type CommandSettings = Settings & typeof outputSettings

/** One call of a command: what was said, and where to answer. */
export interface Invocation<S extends Settings> {
  readonly values: Values<S>
  /** What was said by flags alone, as it was written. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Positional arguments by name. */
  readonly args: Readonly<Record<string, unknown>>
  readonly output: Output
}

/** What was said on the command line, and beside it. */
export interface Arguments {
  readonly args: Readonly<Record<string, unknown>>
  /** By flag, without dashes. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Settings in another program's words (settings/resolve.ts). */
  readonly properties?: ReadonlyMap<string, Property>
  /** For the user, before anything else; no cause for alarm. */
  readonly remarks?: readonly string[]
}

/** A process that is done and still there has forgotten something; it is not kept alive for that. */
const LINGER_MS = 5_000

export abstract class StreamtoolCommand<S extends CommandSettings> extends Command {
  /** What `static flags` was made of, with `flagsOf`. */
  protected abstract readonly settings: S
  #output: Output | null = null

  /**
   * Does the work. Failures are thrown.
   * @returns what the process exits with: an ExitCode, or that of a program run in our place
   */
  protected abstract execute(invocation: Invocation<S>): Promise<number>

  /** As users write it: `config explain`. */
  protected get commandName(): string {
    return (this.id ?? '').replaceAll(':', ' ')
  }

  override async run(): Promise<void> {
    const said = await this.readArguments()
    // Which settings there are may depend on what was said.
    process.exitCode = await this.execute(await this.invocation(this.settings, said))
  }

  /**
   * Overridden by a command whose arguments are not only flags of oclif's, or not known before some of them are read.
   * @param flags made of the command's settings
   */
  protected async readArguments(flags: Interfaces.FlagInput = this.ctor.flags): Promise<Arguments> {
    const {refuseValuesOfToggles} = await import('./errors/usage.js')
    refuseValuesOfToggles(this.argv, this.commandName, this.settings)
    return this.parse({flags, args: this.ctor.args})
  }

  /** @param settings usually the command's own */
  protected async invocation<T extends CommandSettings>(
    settings: T,
    {args, flags, properties, remarks = []}: Arguments,
  ): Promise<Invocation<T>> {
    const [{resolveSettings}, {Output}, {processStreams}, {redacting}, {pluginCommandsOf}] =
      await Promise.all([
        import('./settings/resolve.js'),
        import('./output/output.js'),
        import('./output/streams.js'),
        import('./output/redact.js'),
        import('./plugins/commands.js'),
      ])
    const {values, notes} = await resolveSettings<CommandSettings>(settings, {
      command: this.commandName,
      flags,
      ...(properties === undefined ? {} : {properties}),
      pluginCommands: pluginCommandsOf(this.config),
      cwd: process.cwd(),
      env: process.env,
    })
    const output = new Output(this.commandName, values, redacting(Object.values(values)), processStreams())
    this.#output = output
    for (const remark of remarks) output.logger.info(remark)
    for (const note of notes) output.logger.warn(note)
    return {values: values as Values<T>, flags, args, output}
  }

  /** Never rethrows: oclif would print the error its own way, and exit with a code of its own under --json. */
  protected override async catch(thrown: unknown): Promise<void> {
    if (isExit(thrown)) {
      process.exitCode = thrown.oclif.exit
      return
    }
    const {asUsageError} = await import('./errors/usage.js')
    const flags = [...Object.keys(this.ctor.flags), ...Object.keys(this.settings).map(keyName)]
    const error = asUsageError(thrown, this.commandName, flags) ?? withAdvice(asStreamtoolError(thrown))
    const output = this.#output ?? (await this.#earlyOutput())
    await output.fail(error)
    process.exitCode = error.exitCode
  }

  protected override async finally(): Promise<void> {
    setTimeout(() => process.exit(), LINGER_MS).unref()
  }

  async #earlyOutput(): Promise<Output> {
    const {earlyOutput} = await import('./output/early.js')
    return earlyOutput(this.commandName, this.argv, process.env)
  }
}

function withAdvice(error: StreamtoolError): StreamtoolError {
  if (error.code !== 'BUG' || error.suggestions.length > 0) return error
  return new StreamtoolError('BUG', error.message, {
    cause: error.cause ?? error,
    suggestions: ['This is a bug in streamtool. `--log-level debug` shows where; please report it.'],
  })
}

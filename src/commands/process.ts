import {Flags} from '@oclif/core'
import type {Arguments, Invocation} from '../cli/base-command.js'
import type {Delivery} from '../cli/delivery.js'
import {type DeliverySurroundings, FileConsumingCommand} from '../cli/file-consuming-command.js'
import type {FoundProcessor} from '../cli/find-processor.js'
import type {ProcessPlan} from '../cli/process-plan.js'
import {processSettings} from '../cli/settings/catalog.js'
import {flagsOf} from '../cli/settings/flags.js'
import {outputSettings} from '../cli/settings/groups/output.js'
import type {Values} from '../cli/settings/setting.js'
import type {ExitCode} from '../core/errors.js'

export default class Process extends FileConsumingCommand<typeof processSettings> {
  static override summary = 'Run a plugin or a program on every file that arrives.'
  static override description = `Files are put together from the topic, verified, and handed over one by one. A file counts as done when the processor has returned and its results are acknowledged; one that failed is tried again, then held, and tried again at the next start. Nothing else waits for it.

A plugin is a JavaScript or TypeScript module with a process(file, context) function; its own flags are flags of this command (process --plugin SPEC --help). A program is started for each file, in whatever language; its exit code says whether it succeeded.

Runs until it is stopped; with --once until the end that the topic had at the start. A restart goes on where the last run was: what was processed is remembered in the output directory.`
  static override usage = 'process --topic TOPIC (--plugin SPEC | --exec COMMAND) [FLAGS]'
  static override examples = [
    {
      description: 'A plugin, until stopped; what it writes goes to ./results',
      command:
        '<%= config.bin %> <%= command.id %> --topic instrument-files --plugin ./analyse.ts --output ./results',
    },
    {
      description: 'A Python script for each file, four side by side, what is there now and then exit',
      command: `<%= config.bin %> <%= command.id %> --topic instrument-files --exec 'python3 analyse.py {path}' --concurrency 4 --once`,
    },
    {
      description: 'A SHA-256 manifest of each directory, by a built-in processor',
      command: '<%= config.bin %> <%= command.id %> --topic instrument-files --plugin checksum-manifest',
    },
    {description: 'The built-in processors', command: '<%= config.bin %> <%= command.id %> --list'},
  ]
  static override flags = {
    ...flagsOf(processSettings),
    list: Flags.boolean({
      summary: 'Show the built-in processors, and exit',
      helpGroup: 'PROCESSOR',
      helpLabel: '--list',
    }),
  }

  /** With those of the plugin, once it is known. */
  protected settings = processSettings
  protected override readonly doneWord = 'Processed'
  #found: FoundProcessor | null = null
  #plan: ProcessPlan | null = null

  override async run(): Promise<void> {
    if (!isSaid('--list', this.argv)) {
      const {toldOfEarlyExit} = await import('../cli/early-exit.js')
      return toldOfEarlyExit(this.commandName, this.argv, () => super.run())
    }
    const {listProcessors} = await import('../cli/list-processors.js')
    const {output, values} = await this.invocation(outputSettings, await this.parse())
    listProcessors(output, values.json)
  }

  protected override async readArguments(): Promise<Arguments> {
    const {findProcessor} = await import('../cli/find-processor.js')
    const {parsedSoFar} = await import('../cli/errors/usage.js')
    const {flags, refusal} = await parsedSoFar(this.parse({flags: Process.flags, strict: false}))
    const found = await findProcessor({
      flags,
      refusal,
      cwd: process.cwd(),
      env: process.env,
      pluginsDir: this.config.dataDir,
    })
    this.#found = found
    if (found.kind === 'exec') return super.readArguments()
    this.settings = {...processSettings, ...found.settings}
    const everyFlag = {...Process.flags, ...flagsOf(found.settings)}
    return {...(await super.readArguments(everyFlag)), properties: found.properties}
  }

  protected override async execute(invocation: Invocation<typeof processSettings>): Promise<ExitCode> {
    const {processPlan} = await import('../cli/process-plan.js')
    if (this.#found === null) throw new Error('the arguments have not been read')
    this.#plan = processPlan(this.#found, invocation.values, process.cwd())
    return super.execute(invocation)
  }

  protected titleOf({topic}: Values<typeof processSettings>): string {
    return `Connecting, to read ${topic}`
  }

  protected async openDelivery(
    values: Values<typeof processSettings>,
    surroundings: DeliverySurroundings,
  ): Promise<Delivery> {
    const {openProcessing} = await import('../cli/compose-process.js')
    if (this.#plan === null) throw new Error('there is no plan')
    return openProcessing(this.#plan, values, surroundings)
  }
}

function isSaid(flag: string, argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end === -1 ? argv : argv.slice(0, end)).includes(flag)
}

import type {Arguments, Invocation} from '../cli/base-command.js'
import {keepGarbageSmall} from '../cli/garbage.js'
import {KafkaCommand, type KafkaInvocation} from '../cli/kafka-command.js'
import {type PassthroughValues, relayOptionsOf} from '../cli/relay-options.js'
import {flagsOf} from '../cli/settings/flags.js'
import {passthroughSettings} from '../cli/settings/groups/passthrough.js'
import type {FoundTransform} from '../cli/find-transform.js'
import type {SpringFacts} from '../cli/spring/index.js'
import {ExitCode} from '../core/errors.js'
import type {RelayReport} from '../core/report.js'

export default class Passthrough extends KafkaCommand<typeof passthroughSettings> {
  static override summary = 'Relay records from one topic to another, as they are or transformed.'
  static override description = `Key, value, headers and time arrive as they were, tombstones and empty values too, and records of a partition keep their order. An offset is committed only when the output has acknowledged what was made of its record: whatever dies, every record arrives at least once.

A record is reversed (--reversestring), given to a plugin (--plugin) or to a program (--exec), or left alone. One that fails is tried again with growing pauses; then the run stops, or the record goes to a dead-letter topic, which streamtool retry reads.

Runs until it is stopped; with --once until the end that the inputs had at the start.`
  static override usage = 'passthrough --input TOPIC --output TOPIC [FLAGS]'
  static override examples = [
    {
      description: 'From one topic to another, until stopped',
      command:
        '<%= config.bin %> <%= command.id %> --input measurements --output copies --brokers localhost:9092',
    },
    {
      description: 'Text backwards; what is no text goes to a dead-letter topic',
      command:
        '<%= config.bin %> <%= command.id %> --input text-reversal.http --output text-reversal.python-processor --reversestring --on-failure dead-letter --create-topics',
    },
    {
      description: 'Put the chunks of each file into one partition, so that a group can share the work',
      command:
        '<%= config.bin %> <%= command.id %> --input spread-files --output files --partition-by file --once',
    },
  ]
  static override flags = flagsOf(passthroughSettings)
  /** An image's ENTRYPOINT may end in a `$@` that no shell replaces: else oclif looks for a command `passthrough $@`. */
  static override strict = false

  /** With those of the plugin, once it is known. */
  protected settings = passthroughSettings
  protected override readonly servesItself = true
  #spring: SpringFacts | null = null
  #found: FoundTransform | null = null

  /** Spring's properties are dotted, may follow a `--`, and are `false` when they say so: none of it is oclif's way. */
  protected override async readArguments(): Promise<Arguments> {
    const {parsePassthrough} = await import('../cli/spring/index.js')
    const [env, cwd] = [process.env, process.cwd()]
    const parse = (areAll: boolean) =>
      parsePassthrough(this.argv, env, cwd, {settings: this.settings, areAll})
    let said = await parse(false)
    const {findTransform} = await import('../cli/find-transform.js')
    this.#found = await findTransform({...said, cwd, env, pluginsDir: this.config.dataDir})
    if (this.#found !== null) this.settings = {...this.settings, ...this.#found.settings}
    said = await parse(true)
    this.#spring = said.spring
    const properties = new Map([...(this.#found?.properties ?? []), ...said.properties])
    return {args: {}, flags: said.flags, properties, remarks: said.remarks}
  }

  protected titleOf({input, output}: PassthroughValues): string {
    return `Connecting, to relay ${input.join(', ')} to ${output}`
  }

  protected endsByItself({once}: PassthroughValues): boolean {
    return once
  }

  protected override async execute(invocation: Invocation<typeof passthroughSettings>): Promise<ExitCode> {
    if (invocation.values.plugin === undefined) return super.execute(invocation)
    const {toldOfEarlyExit} = await import('../cli/early-exit.js')
    return toldOfEarlyExit(this.commandName, this.argv, () => super.execute(invocation))
  }

  /** As Spring's applications do: whoever deploys them may deploy the brokers at the same time. */
  protected override waitsForBrokers({once}: PassthroughValues): boolean {
    return this.#spring !== null && !once
  }

  protected async work({
    values,
    kafka,
    stopping,
    reporter,
    output,
  }: KafkaInvocation<typeof passthroughSettings>): Promise<ExitCode> {
    const [
      {clock, stepObserver},
      {relayRecords},
      {summarizeRelay},
      {asMember, setBack},
      {transformOf},
      {lateControl, openPassthroughWatching},
    ] = await Promise.all([
      import('../cli/compose.js'),
      import('../pipelines/relay-records.js'),
      import('../cli/output/summary.js'),
      import('../cli/membership.js'),
      import('../cli/transform.js'),
      import('../cli/watching.js'),
    ])
    const {logger} = output
    const group = this.#group(values)
    const options = relayOptionsOf(this.commandName, group, values, this.#spring !== null)
    keepGarbageSmall()
    const producer = kafka.producer({compression: values.compression === 'none' ? null : values.compression})
    const control = lateControl(options, (reason) => stopping.stop(reason))
    const watching = await openPassthroughWatching(values, this.#spring, control, logger)
    const failed = new AbortController()
    const transform = await transformOf(values, this.#found, {
      logger,
      signal: stopping.signal,
      fail: (error) => failed.abort(error),
    }).catch(async (thrown: unknown) => {
      await watching?.close()
      throw thrown
    })
    try {
      logger.info(`Consumer group: ${group}`)
      const admin = kafka.admin()
      if (values.fromBeginning) await setBack(admin, group, options.inputs)
      const membership = {groupId: group, topics: options.inputs, fetchBytes: values.memory}
      const {report, exitCode} = await asMember(kafka, membership, values, (consumer) =>
        relayRecords(
          options,
          {
            consumer,
            admin,
            producer,
            transform,
            clock,
            logger,
            reporter,
            steps: stepObserver(),
            onControl: control.is,
          },
          AbortSignal.any([stopping.signal, failed.signal]),
        ),
      )
      failed.signal.throwIfAborted()
      await output.finish(report, summarizeRelay(report), exitCode === ExitCode.done)
      return exitCode
    } finally {
      await transform.close()
      await watching?.close()
    }
  }

  protected async stoppedEarly({values, output}: Invocation<typeof passthroughSettings>): Promise<ExitCode> {
    const {summarizeRelay} = await import('../cli/output/summary.js')
    const report: RelayReport = {
      schema: 1,
      command: this.commandName,
      input: values.input.join(','),
      output: values.output,
      group: this.#group(values),
      interrupted: values.once,
      records: {read: 0, written: 0, failed: 0, deadLettered: 0},
      seconds: 0,
    }
    await output.finish(report, summarizeRelay(report), !values.once)
    return values.once ? ExitCode.interrupted : ExitCode.done
  }

  /** Two relays of one topic to different places each get everything. */
  #group({group, input, output}: PassthroughValues): string {
    const named = group ?? this.#spring?.streamName
    return named ?? `streamtool-passthrough-${[...new Set(input)].join('+')}-${output}`
  }
}

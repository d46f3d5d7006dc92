import {Args} from '@oclif/core'
import type {Invocation} from '../cli/base-command.js'
import {ExitCode, StreamtoolError} from '../core/errors.js'
import {KafkaCommand, type KafkaInvocation} from '../cli/kafka-command.js'
import {pathFilter} from '../cli/path-filter.js'
import {uploadSettings} from '../cli/settings/catalog.js'
import {flagsOf} from '../cli/settings/flags.js'
import type {Values} from '../cli/settings/setting.js'

export default class Upload extends KafkaCommand<typeof uploadSettings> {
  static override summary = 'Send files, whole directories or standard input to a topic.'
  static override description = `Cuts each file into chunks, one record each, and ends when the brokers have acknowledged every chunk. A directory is sent with its sub-directories, its files named relative to it; a file given by itself has its base name. All chunks of a file go to one partition.

A file that changes while it is read is sent anew. A file that cannot be read is reported, and the rest is sent.`
  static override usage = 'upload PATH... --topic TOPIC [FLAGS]'
  static override examples = [
    {
      description: 'A directory with everything in it',
      command:
        '<%= config.bin %> <%= command.id %> ./measurements --topic instrument-files --brokers localhost:9092',
    },
    {
      description: 'Some files, below a directory of their own on the topic',
      command:
        '<%= config.bin %> <%= command.id %> a.csv b.csv --path-prefix run-42 --topic instrument-files',
    },
    {
      description: 'Standard input',
      command: 'df -h | <%= config.bin %> <%= command.id %> - --name disks.txt --topic instrument-files',
    },
    {
      description: 'From a script: one JSON object on stdout, words on stderr',
      command: '<%= config.bin %> <%= command.id %> ./measurements --topic instrument-files --json',
    },
  ]
  static override args = {
    path: Args.string({
      description: 'File or directory to send; - for standard input',
      multiple: true,
      required: true,
      ignoreStdin: true,
    }),
  }
  static override flags = flagsOf(uploadSettings)

  protected readonly settings = uploadSettings

  protected titleOf({topic}: Values<typeof uploadSettings>): string {
    return `Connecting, to upload to ${topic}`
  }

  protected endsByItself(): boolean {
    return true
  }

  protected async work(invocation: KafkaInvocation<typeof uploadSettings>): Promise<ExitCode> {
    const [{clock, openInputs, stepObserver}, {sendFiles}, {summarizeUpload}] = await Promise.all([
      import('../cli/compose.js'),
      import('../pipelines/send-files.js'),
      import('../cli/output/summary.js'),
    ])
    const {values, kafka, stopping, reporter, output} = invocation
    const inputs = [invocation.args['path']].flat() as string[]
    const source = await openInputs({
      inputs,
      pathPrefix: values.pathPrefix,
      wants: pathFilter(values),
      stdinName: nameOfStdin(inputs, values.name),
      signal: stopping.signal,
    })
    try {
      const {report, exitCode} = await sendFiles(
        {
          command: this.commandName,
          topic: values.topic,
          chunkBytes: values.chunkSize,
          wireFormat: values.wireFormat,
          inFlightBytes: values.memory,
          metadata: values.metadata ?? {},
        },
        {
          source,
          admin: kafka.admin(),
          producer: kafka.producer(),
          clock,
          logger: output.logger,
          reporter,
          steps: stepObserver(),
        },
        stopping.signal,
      )
      await output.finish(report, summarizeUpload(report), exitCode === ExitCode.done)
      return exitCode
    } finally {
      await source.close()
    }
  }

  protected async stoppedEarly({values, output}: Invocation<typeof uploadSettings>): Promise<ExitCode> {
    const {summarizeUpload} = await import('../cli/output/summary.js')
    const report = {
      schema: 1 as const,
      command: this.commandName,
      topic: values.topic,
      interrupted: true,
      files: {uploaded: 0, skipped: 0, failed: 0},
      bytes: 0,
      records: 0,
      seconds: 0,
      problems: [],
    }
    await output.finish(report, summarizeUpload(report), false)
    return ExitCode.interrupted
  }
}

/** @throws USAGE */
function nameOfStdin(inputs: readonly string[], name: string | undefined): string | null {
  const reads = inputs.includes('-')
  if (reads && name === undefined)
    throw new StreamtoolError('USAGE', 'Standard input has no name to be sent under.', {
      suggestions: ['Give it one: upload - --name report.csv'],
    })
  if (!reads && name !== undefined)
    throw new StreamtoolError('USAGE', '--name is for standard input, which is not among the inputs.', {
      suggestions: [
        'Write - for standard input.',
        'Files have their own names; --path-prefix goes before them.',
      ],
    })
  return name ?? null
}

import {KafkaCommand, type KafkaInvocation} from '../cli/kafka-command.js'
import {pathFilter} from '../cli/path-filter.js'
import {inspectSettings} from '../cli/settings/catalog.js'
import {flagsOf} from '../cli/settings/flags.js'
import type {Values} from '../cli/settings/setting.js'
import {ExitCode, StreamtoolError} from '../core/errors.js'

export default class Inspect extends KafkaCommand<typeof inspectSettings> {
  static override summary = 'List the files that are on a topic, and what is wrong with them.'
  static override description = `Reads the topic as it is now, without joining a consumer group and without changing anything, and lists its files: complete, incomplete with the chunks that are missing, corrupt, or superseded by a newer upload of the same path. The SHA-512 of every chunk is checked, and that of every file whose chunks are in order on the topic; --verify reads the others again to check them too.

With --group it also tells which of the files that group has done, which it would deliver next and which it waits for, and how far its safe offset lies behind the end.`
  static override usage = 'inspect --topic TOPIC [FLAGS]'
  static override examples = [
    {
      description: 'What is there',
      command: '<%= config.bin %> <%= command.id %> --topic instrument-files --brokers localhost:9092',
    },
    {
      description: 'Why a consumer does not get on',
      command:
        '<%= config.bin %> <%= command.id %> --topic instrument-files --group streamtool-0f1e2d3c4b5a6978',
    },
    {
      description: 'For monitoring: fails when a file is corrupt or incomplete',
      command: '<%= config.bin %> <%= command.id %> --topic instrument-files --verify --check --json',
    },
    {
      description: 'The paths of incomplete files',
      command:
        '<%= config.bin %> <%= command.id %> --topic instrument-files --events | jq -r \'select(.event == "file.inspected" and .state == "incomplete").path\'',
    },
  ]
  static override flags = flagsOf(inspectSettings)

  protected readonly settings = inspectSettings

  protected titleOf({topic}: Values<typeof inspectSettings>): string {
    return `Connecting, to read ${topic}`
  }

  protected endsByItself(): boolean {
    return true
  }

  protected async work(invocation: KafkaInvocation<typeof inspectSettings>): Promise<ExitCode> {
    const [{clock}, {inspectTopic}, {inspectionLines, summarizeInspection}] = await Promise.all([
      import('../cli/compose.js'),
      import('../pipelines/inspect-topic.js'),
      import('../cli/output/inspection.js'),
    ])
    const {values, kafka, stopping, reporter, output} = invocation
    const {topic, group = null, verify, check} = values
    const wants = pathFilter(values)
    const {report, exitCode} = await inspectTopic(
      {command: this.commandName, topic, group, verify, check, wants},
      {admin: kafka.admin(), reader: kafka.reader(), clock, reporter},
      stopping.signal,
    )
    await output.finish(report, summarizeInspection(report), exitCode === ExitCode.done)
    if (!values.json && !values.events) output.resultText(inspectionLines(report).join('\n'))
    return exitCode
  }

  protected async stoppedEarly(): Promise<ExitCode> {
    throw new StreamtoolError('INTERRUPTED', 'Stopped before anything of the topic was read.')
  }
}

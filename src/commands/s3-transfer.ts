import type {Invocation} from '../cli/base-command.js'
import type {Delivery} from '../cli/delivery.js'
import {type DeliverySurroundings, FileConsumingCommand} from '../cli/file-consuming-command.js'
import {s3TransferSettings} from '../cli/settings/catalog.js'
import {flagsOf} from '../cli/settings/flags.js'
import {withoutTopic} from '../cli/settings/groups/s3.js'
import type {Values} from '../cli/settings/setting.js'
import {ExitCode} from '../core/errors.js'

type S3TransferValues = Values<typeof s3TransferSettings>

/** Of the memory, for parts of files: those being filled and those being sent. */
const PARTS_SHARE = 1 / 2

export default class S3Transfer extends FileConsumingCommand<typeof s3TransferSettings> {
  static override summary = 'Put files together from a topic and store them in a bucket.'
  static override description = `Each file becomes one object, which appears whole or not at all. Its checksum is computed as the chunks are read and compared with the one that the uploader recorded; the store checks it too, so an object that differs in one byte is refused. An older content of a path never replaces a newer one, whoever writes.

Works with AWS and with any store that speaks S3; what a store cannot do is found out at the start and said, and something else is done instead. Files are sent in parts as their chunks arrive, in bounded memory: what exceeds it waits on disk.

Runs until it is stopped; with --once until the end that the topic had at the start. A restart goes on where the last run was; uploads that a crash interrupted are gone on with, or ended.`
  static override usage = [
    's3-transfer --topic TOPIC --bucket BUCKET [FLAGS]',
    's3-transfer --bucket BUCKET --probe',
    's3-transfer --bucket BUCKET --cleanup-older-than DURATION',
  ]
  static override examples = [
    {
      description: 'Everything that arrives, until stopped',
      command:
        '<%= config.bin %> <%= command.id %> --topic instrument-files --bucket archive --brokers localhost:9092',
    },
    {
      description: 'To a store that is not AWS',
      command:
        '<%= config.bin %> <%= command.id %> --topic instrument-files --bucket archive --endpoint-url https://minio.example.org --profile lab',
    },
    {
      description: 'By day, and encrypted',
      command:
        "<%= config.bin %> <%= command.id %> --topic instrument-files --bucket archive --key 'raw/{yyyy}/{mm}/{dd}/{path}' --sse aws:kms",
    },
    {
      description: 'What the store can do, and what we may do there',
      command: '<%= config.bin %> <%= command.id %> --bucket archive --probe',
    },
  ]
  static override flags = flagsOf(s3TransferSettings)

  protected override readonly doneWord = 'Stored'

  /** Looking after a bucket takes no topic and no broker. */
  protected get settings(): typeof s3TransferSettings {
    if (!withoutTopic(this.argv)) return s3TransferSettings
    const {brokers, topic} = s3TransferSettings
    const notNeeded = {brokers: {...brokers, required: false}, topic: {...topic, required: false}}
    return {...s3TransferSettings, ...notNeeded} as unknown as typeof s3TransferSettings
  }

  protected titleOf({topic}: S3TransferValues): string {
    return `Connecting, to read ${topic}`
  }

  protected override async execute(invocation: Invocation<typeof s3TransferSettings>): Promise<ExitCode> {
    const {values, output} = invocation
    const {probe, cleanupOlderThan} = values
    if (probe !== true && cleanupOlderThan === undefined) return super.execute(invocation)
    const [{endUploads, examineBucketOnly}, {bucketOptions}, {examinationLines}] = await Promise.all([
      import('../cli/compose-bucket.js'),
      import('../cli/bucket-options.js'),
      import('../cli/output/examination.js'),
    ])
    const options = bucketOptions(values, {logger: output.logger, signal: new AbortController().signal})
    if (probe === true) {
      const examination = await examineBucketOnly(options)
      if (values.json)
        output.result({schema: 1, command: this.commandName, bucket: values.bucket, ...examination})
      else output.resultText(examinationLines(values.bucket, examination).join('\n'))
    }
    if (cleanupOlderThan !== undefined) {
      const ended = await endUploads(cleanupOlderThan, options)
      if (values.json) output.result({schema: 1, command: this.commandName, bucket: values.bucket, ended})
      else output.resultText(`Ended ${ended} ${ended === 1 ? 'upload' : 'uploads'} in ${values.bucket}.`)
    }
    return ExitCode.done
  }

  protected async openDelivery(
    values: S3TransferValues,
    {logger, signal, deadline, onOutage}: DeliverySurroundings,
  ): Promise<Delivery> {
    const [{openBucket}, {bucketOptions}] = await Promise.all([
      import('../cli/compose-bucket.js'),
      import('../cli/bucket-options.js'),
    ])
    return openBucket({
      ...bucketOptions(values, {logger, signal}),
      deadline,
      onOutage,
      topic: values.topic,
      memoryBytes: values.memory * PARTS_SHARE,
    })
  }
}

import {type Invocation, StreamtoolCommand} from '../cli/base-command.js'
import {sandboxCommandSettings} from '../cli/settings/catalog.js'
import {flagsOf} from '../cli/settings/flags.js'
import type {Sandbox as RunningSandbox} from '../cli/compose.js'
import type {Values} from '../cli/settings/setting.js'
import {ExitCode, StreamtoolError} from '../core/errors.js'

type SandboxValues = Values<typeof sandboxCommandSettings>

const DEFAULT_KAFKA_PORT = 9092
const DEFAULT_S3_PORT = 9000
const OTHER_CREDENTIALS = ['AWS_PROFILE', 'AWS_SESSION_TOKEN']

export default class Sandbox extends StreamtoolCommand<typeof sandboxCommandSettings> {
  static override summary =
    'Start a Kafka broker and an S3 bucket for trying out, on this machine and without installing anything.'
  static override description = `A small broker that speaks Kafka's protocol, and a small store that speaks S3's, on 127.0.0.1. Once they are ready, the first line of stdout is the environment to copy into another shell: where the brokers and the bucket are, and the credentials, under the names that AWS's own tools know. Then they run until they are stopped. With a command after --, that command is run in this environment, and its exit code is ours.

With --dir the data is kept and survives even kill -9; otherwise it is gone at the end. For trying out and for tests: production is Apache Kafka and a real object store.`
  static override usage = ['sandbox [FLAGS]', 'sandbox [FLAGS] -- COMMAND [ARGUMENTS]']
  static override examples = [
    {description: 'Until Ctrl-C', command: '<%= config.bin %> <%= command.id %> --dir ./sandbox'},
    {
      description: 'In this shell, in the background',
      command: '<%= config.bin %> <%= command.id %> > sandbox.env & sleep 2; . ./sandbox.env',
    },
    {
      description: 'For as long as a script runs',
      command: '<%= config.bin %> <%= command.id %> -- ./try-it-out.sh',
    },
  ]
  static override flags = flagsOf(sandboxCommandSettings)

  protected readonly settings = sandboxCommandSettings
  /** What follows `--`; oclif's parser would put repeated words of it next to each other. */
  #wrapped: readonly string[] | null = null

  override async run(): Promise<void> {
    const end = this.argv.indexOf('--')
    if (end !== -1) {
      this.#wrapped = this.argv.slice(end + 1)
      this.argv = this.argv.slice(0, end)
      if (this.#wrapped.length === 0) throw nothingToRun()
    }
    await super.run()
  }

  protected async execute({values, output}: Invocation<typeof sandboxCommandSettings>): Promise<number> {
    const [{openSandbox, temporaryDirectory}, {stopOnSignals}] = await Promise.all([
      import('../cli/compose.js'),
      import('../cli/signals.js'),
    ])
    const {logger} = output
    const place = values.dir === undefined ? await temporaryDirectory('sandbox') : kept(values.dir)
    const stopping = stopOnSignals({
      shutdownTimeoutMs: values.shutdownTimeout,
      say: (message) => logger.debug(message),
    })
    try {
      const sandbox = await openSandbox({
        dir: place.path,
        kafkaPort: this.#kafkaPort(values),
        bucket: {port: this.#s3Port(values), name: values.bucket},
        logger,
      })
      try {
        const environment = environmentOf(sandbox, values.bucket)
        const stays = values.dir === undefined ? 'gone at the end; --dir keeps it' : `kept in ${place.path}`
        logger.info(
          `Sandbox ready on ${sandbox.bootstrap} and ${sandbox.bucket?.endpoint}, its data ${stays}.`,
        )
        if (this.#wrapped !== null) {
          const {runWrapped} = await import('../cli/wrapped-command.js')
          const withoutOthers = Object.fromEntries(OTHER_CREDENTIALS.map((name) => [name, undefined]))
          return await runWrapped(this.#wrapped, {...withoutOthers, ...environment}, stopping.signal)
        }
        if (values.json) output.result({schema: 1, command: this.commandName, environment})
        else output.resultText(toCopy(environment))
        await aborted(stopping.signal)
        return ExitCode.done
      } finally {
        await sandbox.close()
      }
    } finally {
      await place.remove()
      stopping.dispose()
    }
  }

  /** A command that is wrapped is told the port, so any will do, and a Kafka that runs already is no obstacle. */
  #kafkaPort({kafkaPort}: SandboxValues): number {
    return kafkaPort ?? (this.#wrapped === null ? DEFAULT_KAFKA_PORT : 0)
  }

  /** Who takes any port for the broker does so to run several sandboxes. */
  #s3Port({s3Port, kafkaPort}: SandboxValues): number {
    return s3Port ?? (this.#wrapped === null && kafkaPort !== 0 ? DEFAULT_S3_PORT : 0)
  }
}

/** As streamtool, the AWS CLI (which wants a default region) and the AWS SDKs read it. */
function environmentOf({bootstrap, bucket}: RunningSandbox, bucketName: string): Record<string, string> {
  if (bucket === null) return {STREAMTOOL_BROKERS: bootstrap}
  return {
    STREAMTOOL_BROKERS: bootstrap,
    STREAMTOOL_BUCKET: bucketName,
    AWS_ENDPOINT_URL_S3: bucket.endpoint,
    AWS_REGION: bucket.region,
    AWS_DEFAULT_REGION: bucket.region,
    AWS_ACCESS_KEY_ID: bucket.accessKeyId,
    AWS_SECRET_ACCESS_KEY: bucket.secretAccessKey,
  }
}

/** One line. What would make AWS's tools choose other credentials than these goes, where it is set. */
function toCopy(environment: Readonly<Record<string, string>>): string {
  const inTheWay = OTHER_CREDENTIALS.filter((name) => process.env[name])
  const unset = inTheWay.length === 0 ? '' : `unset ${inTheWay.join(' ')}; `
  const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  return `${unset}export ${assignments.join(' ')}`
}

const nothingToRun = () =>
  new StreamtoolError('USAGE', 'There is no command after --.', {
    suggestions: ['Write streamtool sandbox -- COMMAND [ARGUMENTS], or leave the -- out.'],
  })

const kept = (path: string) => ({path, remove: async () => undefined})

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), {once: true})
  })

/** Writes docs/benchmarks.md: first what was found, then how, then every number behind it. */
import {basename} from 'node:path'
import {ceilingOf} from './ceiling.js'
import type {Role} from './jobs.js'
import type {Machine} from './machine.js'
import {STORING_SECONDS} from './programs/openmsistream.js'
import type {ContenderResult, JobResult, Results} from './results.js'
import {amountOf, isFinished, measured, median, medianOf, wholeRate, workingRate} from './results.js'
import {EMPTY_CLI, medianSeconds, OUR_HELP} from './start-up.js'
import {PARTITIONS} from './topics.js'
import {verdictOf} from './verdict.js'

const MIB = 1024 * 1024
const HELP_FACTOR = 1.2
/** Beyond this share of the machine, something else was running. */
const QUIET_SHARE = 0.1
/** Less is told by no ratio. */
const STOLEN_SHARE = 0.02

/** @param numbers the file that they are in, from the root */
export function markdown(results: Results, numbers: string): string {
  return `${[
    '# Benchmarks',
    introduction(results, numbers),
    '## Found',
    summary(results),
    startUp(results),
    '## Measured how',
    method(results),
    '## Every job',
    ...[...results.jobs, results.smallest].map((job) =>
      details(job, results.smallest, results.machine.cores),
    ),
  ].join('\n\n')}\n`
}

function introduction({date, machine, stolenShare, versions, missing, jobs}: Results, file: string): string {
  const facts = [
    `${machine.cores} cores (${machine.processor})`,
    `${machine.memoryGiB} GiB of memory`,
    machine.system,
    machine.fileSystem,
    `SHA-512 at ${number(machine.sha512MiBPerSecond)} MiB/s on one core`,
  ]
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    `Written by \`npm run bench\` on ${date.slice(0, 10)}; numbers in [${basename(file)}](../${file}). To be read as ratios: another machine has other numbers.`,
    `- Machine: ${facts.join(', ')}. Everything runs on it: broker, programs, files.`,
    `- Programs: ${programs.join('; ')}.`,
    ...(stolenShare > STOLEN_SHARE
      ? [
          `- **A virtual machine, whose host gave ${Math.round(stolenShare * 100)} % of the processor time that was wanted to others** meanwhile. Everything takes longer by that, whichever program it is.`,
        ]
      : []),
    ...(jobs.some(({contenders}) => contenders.some((contender) => busy(contender, machine.cores)))
      ? ['- **The machine was not quiet**: see the rows whose last column is bold.']
      : []),
    ...missing.map((what) => `- **Not measured**: ${what.split('\n')[0] ?? what}`),
  ].join('\n')
}

function summary({jobs, smallest, machine}: Results): string {
  const rows = jobs.map((job) => {
    const [[ours], [theirs], limits] = [
      measured(job, 'ours'),
      measured(job, 'theirs'),
      measured(job, 'limit'),
    ]
    const late = lateOnes(job, 'theirs')[0]
    const limitText = limits.map((limit) => `${rates(job, limit, smallest)} (${limit.program})`).join('; ')
    return [
      ...[job.title, late?.text ?? cell(job, theirs, smallest), cell(job, ours, smallest)],
      ...[faster(job, ours, theirs, late?.afterSeconds ?? null), limitText || '–', allowed(job, machine)],
      verdictOf(job, smallest),
    ]
  })
  return [
    table(['job', 'OpenMSIStream', 'streamtool', 'faster', 'limits', 'machine', 'target'], rows),
    'Two rates: from the start of the program to its end / without what the same program takes for one file of 1 byte. RSS is the peak.',
  ].join('\n\n')
}

function allowed(job: JobResult, machine: Machine): string {
  const ceiling = ceilingOf(job, machine)
  return ceiling === null ? '–' : `≤ ${number(ceiling)} ${job.unit}`
}

/** Of a program that was not waited for it is known how fast it is at most. */
function faster(
  job: JobResult,
  ours: ContenderResult | undefined,
  theirs: ContenderResult | undefined,
  lateSeconds: number | null,
): string {
  if (ours === undefined) return '–'
  if (lateSeconds !== null) return `> ${ratio(lateSeconds / medianOf(ours.runs, 'seconds'))} ×`
  return theirs === undefined ? '–' : `${ratio(wholeRate(job, ours) / wholeRate(job, theirs))} ×`
}

function lateOnes({contenders}: JobResult, role: Role): {afterSeconds: number; text: string}[] {
  return contenders.flatMap((contender) => {
    const {notFinishedAfterSeconds: afterSeconds} = contender
    if (contender.role !== role || afterSeconds === null) return []
    return [{afterSeconds, text: notFinished(afterSeconds)}]
  })
}

const notFinished = (afterSeconds: number): string => `not finished after ${afterSeconds} s`

function cell(job: JobResult, contender: ContenderResult | undefined, smallest: JobResult): string {
  if (contender === undefined) return '–'
  return `${rates(job, contender, smallest)}, ${mebibytes(peak(contender))} RSS`
}

function rates(job: JobResult, contender: ContenderResult, smallest: JobResult): string {
  const working = workingRate(job, contender, smallest)
  return `${number(wholeRate(job, contender))} / ${working === null ? '–' : number(working)} ${job.unit}`
}

function startUp({startUp: results}: Results): string {
  const [ours, empty] = [medianSeconds(results, OUR_HELP), medianSeconds(results, EMPTY_CLI)]
  const factor = ours === null || empty === null ? null : ours / empty
  const rows = results.map(({command, seconds}) => [
    `\`${command}\``,
    `${median(seconds).toFixed(3)} s`,
    `${Math.min(...seconds).toFixed(3)}–${Math.max(...seconds).toFixed(3)} s`,
  ])
  const verdict =
    factor === null
      ? ''
      : `\`--help\` takes ${factor.toFixed(2)} × an empty oclif command line; the target is ${HELP_FACTOR} ×: ${factor <= HELP_FACTOR ? 'met' : '**not met**'}.`
  return [table(['start-up', 'median', 'range'], rows), verdict].join('\n\n')
}

function method({machine}: Results): string {
  return `- One broker on loopback with its default settings, warmed up before; every topic is new and has ${PARTITIONS} partitions, for both. streamtool keeps a file in one partition; OpenMSIStream spreads its chunks over all.
- The contenders take turns in every round, beginning with another one each time; between runs the disk is synced. Medians are of all rounds. Every process is new, and a reader's consumer group is.
- Files are pseudorandom, so that compression helps nobody; OpenMSIStream runs with the settings that it ships (lz4, 2 threads, 512 KiB chunks), reading from the oldest record. \`UploadDataFile\` sends single files, being faster there than \`DataFileUploadDirectory\`.
- The clock runs from the start of the process. It stops when a program that ends by itself has ended (streamtool, \`UploadDataFile\`, kcat); for \`DataFileUploadDirectory\` when the broker has every chunk; for \`DataFileDownloadDirectory\` and \`S3TransferStreamProcessor\` when they have said of every file that it is reconstructed, or processed. Shutting down those three is not counted.
- Every result is compared byte for byte: what was uploaded, by reading the topic with kcat and decoding it with a public msgpack package; what was reconstructed, file by file; what was stored, by reading every object back. A difference in what streamtool did ends the benchmark; a time never does.
- Buckets are those of versitygw on loopback, on the same disk, which keeps connections open between requests; every run has a new one. \`S3TransferStreamProcessor\` is waited for for ${STORING_SECONDS} s; then it is "not finished", and "faster" is what can be said at least.
- CPU seconds and peak RSS are the kernel's (\`/proc\`), of the program's own process. "Others" is how many cores something else kept busy meanwhile, in bold above ${machine.cores * QUIET_SHARE}: such a row is not to be relied on.
- Limits: \`kcat\` is librdkafka sending the same bytes in the same sizes, or reading the topic and throwing it away, without hashes or files; "write, fsync, rename" is Node.js writing the same files, without Kafka; "kafkajs consume and produce" is a loop of a few lines that passes on batch by batch, with acks=all and a commit for each; "PUT of each file" is Node.js putting the same files into the bucket, one request for each, without Kafka, SDK or checksums.
- Machine: what it would allow a program that does nothing but compute SHA-512 of every chunk and of the whole file, as the format demands, while broker and store take what they took beside streamtool and no core is ever idle. A target beyond that cannot be met here.

The ${machine.cores} cores are shared by the broker and the program, so a program that leaves more CPU to the broker is faster by that alone.`
}

function details(job: JobResult, smallest: JobResult, cores: number): string {
  const rows = job.contenders.map((contender) => {
    const {runs, program, topicWrittenBy, notFinishedAfterSeconds: late} = contender
    const name = topicWrittenBy === null ? program : `${program}, of a topic written by ${topicWrittenBy}`
    if (late !== null) return [name, notFinished(late), '', '', '', '', '']
    const seconds = runs.map((run) => run.seconds)
    const storeSeconds = medianOf(runs, 'storeCpuSeconds')
    const ofStore = storeSeconds >= 0.005 ? ` + ${storeSeconds.toFixed(2)} s` : ''
    return [
      name,
      `${median(seconds).toFixed(2)} s (${Math.min(...seconds).toFixed(2)}–${Math.max(...seconds).toFixed(2)})`,
      job === smallest ? '–' : rates(job, contender, smallest),
      `${medianOf(runs, 'cpuSeconds').toFixed(2)} s`,
      `${medianOf(runs, 'brokerCpuSeconds').toFixed(2)} s${ofStore}`,
      mebibytes(peak(contender)),
      busy(contender, cores) ? `**${othersOf(contender).toFixed(2)}**` : othersOf(contender).toFixed(2),
    ]
  })
  const size = job.unit === 'MiB/s' ? `${number(amountOf(job))} MiB` : `${number(job.bytes / MIB)} MiB in all`
  return [
    `### ${job.title[0]!.toUpperCase()}${job.title.slice(1)}`,
    `${size}; ${job.contenders[0]?.runs.length ?? 0} rounds.`,
    table(['program', 'seconds', 'rate', 'CPU', 'CPU of broker + store', 'peak RSS', 'others'], rows),
  ].join('\n\n')
}

/** Cores that something else kept busy. */
const othersOf = ({runs}: ContenderResult): number =>
  median(runs.map(({otherCpuSeconds, seconds}) => otherCpuSeconds / seconds))

const busy = (contender: ContenderResult, cores: number): boolean =>
  isFinished(contender) && othersOf(contender) > cores * QUIET_SHARE

const peak = ({runs}: ContenderResult): number => Math.max(...runs.map(({peakRssBytes}) => peakRssBytes))

const mebibytes = (bytes: number): string => (bytes === 0 ? '–' : `${number(bytes / MIB)} MiB`)

const ratio = (value: number): string => (value < 10 ? value.toFixed(1) : number(value))

function number(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

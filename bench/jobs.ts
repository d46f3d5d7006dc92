/** The rows of the table: what is sent or read, by which programs, and how fast it ought to go. */
import type {InputSpec} from './input-files.js'
import type {Downloader, Relayer, Storer, Uploader} from './programs/program.js'
import type {Programs} from './programs/programs.js'

const KIB = 1024
const MIB = 1024 * KIB

export type Unit = 'files/s' | 'records/s' | 'MiB/s'
export type Role = 'ours' | 'theirs' | 'limit'

/** A rate, or a share of what the limit reaches beside it. */
export type Target = {readonly rate: number} | {readonly shareOfLimit: number}

export type Contender = Sending | Receiving | Storing | Relaying

interface Sending {
  readonly role: Role
  readonly sends: Uploader
}

interface Receiving {
  readonly role: Role
  readonly receives: Downloader
  /** Who wrote the topic that is read. */
  readonly writtenBy: Uploader
}

interface Storing {
  readonly role: Role
  readonly stores: Storer
  readonly writtenBy: Uploader
}

/** The files of the input are records then, with random bytes of that size. */
interface Relaying {
  readonly role: Role
  readonly relays: Relayer
}

export interface Job {
  readonly id: string
  readonly title: string
  readonly input: InputSpec
  readonly rounds: number
  readonly unit: Unit
  readonly target: Target | null
  readonly rssLimitMiB: number | null
  readonly contenders: (programs: Programs) => readonly Contender[]
}

const RSS_LIMIT_MIB = 300

const ofSize = (bytes: number, count = 1): InputSpec => ({count, smallestBytes: bytes, largestBytes: bytes})
const SMALL: InputSpec = {count: 1148, smallestBytes: 1000, largestBytes: 20_000}
const ONE_LARGE = ofSize(512 * MIB)
const ONE_HUGE = ofSize(2048 * MIB)
const MANY_LARGE = ofSize(32 * MIB, 16)

/** One file of one byte: what each program takes to start, to find the topic and its group, and to end. */
export const SMALLEST: Job = {
  id: 'smallest',
  title: 'one file of 1 byte',
  input: ofSize(1),
  rounds: 5,
  unit: 'files/s',
  target: null,
  rssLimitMiB: null,
  contenders: (programs) => [
    ...sending(programs, ({uploadFile}) => uploadFile),
    ...theirs(programs, ({uploadDirectory}) => ({role: 'theirs', sends: uploadDirectory})),
    ...receiving(programs),
    {role: 'limit', receives: programs.plainWriter, writtenBy: programs.streamtool.upload},
    ...storing(programs),
    ...relaying(programs),
  ],
}

const ROWS: readonly Omit<Job, 'rssLimitMiB'>[] = [
  {
    id: 'upload-small',
    title: 'upload 2,000 files of 1–20 KB',
    input: {...SMALL, count: 2000},
    rounds: 3,
    unit: 'files/s',
    target: {rate: 4000},
    contenders: (programs) => sending(programs, ({uploadDirectory}) => uploadDirectory),
  },
  {
    id: 'upload-one-large',
    title: 'upload one file of 512 MiB',
    input: ONE_LARGE,
    rounds: 5,
    unit: 'MiB/s',
    target: {shareOfLimit: 0.8},
    contenders: (programs) => sending(programs, ({uploadFile}) => uploadFile),
  },
  {
    id: 'upload-many-large',
    title: 'upload 16 files of 32 MiB',
    input: MANY_LARGE,
    rounds: 5,
    unit: 'MiB/s',
    target: {shareOfLimit: 1},
    contenders: (programs) => sending(programs, ({uploadDirectory}) => uploadDirectory),
  },
  {
    id: 'reconstruct-small',
    title: 'reconstruct 1,148 files of 1–20 KB',
    input: SMALL,
    rounds: 5,
    unit: 'files/s',
    target: {rate: 4000},
    contenders: (programs) => [
      ...receiving(programs),
      {role: 'limit', receives: programs.plainWriter, writtenBy: programs.streamtool.upload},
    ],
  },
  {
    id: 'reconstruct-one-large',
    title: 'reconstruct one file of 512 MiB',
    input: ONE_LARGE,
    rounds: 5,
    unit: 'MiB/s',
    target: {rate: 300},
    contenders: receiving,
  },
  {
    id: 's3-small',
    title: 'store 1,148 files of 1–20 KB in a bucket',
    input: SMALL,
    rounds: 3,
    unit: 'files/s',
    target: {rate: 700},
    contenders: storing,
  },
  {
    id: 's3-one-large',
    title: 'store one file of 512 MiB in a bucket',
    input: ONE_LARGE,
    rounds: 3,
    unit: 'MiB/s',
    target: {rate: 150},
    contenders: storing,
  },
  {
    id: 's3-many-large',
    title: 'store 16 files of 32 MiB in a bucket',
    input: MANY_LARGE,
    rounds: 3,
    unit: 'MiB/s',
    target: {rate: 200},
    contenders: storing,
  },
  {
    id: 'passthrough',
    title: 'pass on 200,000 records of 1 KB',
    input: ofSize(1000, 200_000),
    rounds: 3,
    unit: 'records/s',
    target: {shareOfLimit: 1},
    contenders: relaying,
  },
  {
    id: 'memory-upload',
    title: 'upload one file of 2 GiB',
    input: ONE_HUGE,
    rounds: 1,
    unit: 'MiB/s',
    target: null,
    contenders: (programs) => sending(programs, ({uploadFile}) => uploadFile, []),
  },
  {
    id: 'memory-reconstruct',
    title: 'reconstruct one file of 2 GiB',
    input: ONE_HUGE,
    rounds: 1,
    unit: 'MiB/s',
    target: null,
    contenders: (programs) => receiving(programs, []),
  },
  {
    id: 'memory-many',
    title: 'reconstruct 50,000 files of 100 bytes',
    input: ofSize(100, 50_000),
    rounds: 1,
    unit: 'files/s',
    target: null,
    // OpenMSIStream would take most of an hour to upload them.
    contenders: ({streamtool: {upload, reconstruct}}) => [
      {role: 'ours', receives: reconstruct, writtenBy: upload},
    ],
  },
]

export const JOBS: readonly Job[] = ROWS.map((row) => ({...row, rssLimitMiB: RSS_LIMIT_MIB}))

/** A tenth of the work, once. */
export function quick(job: Job): Job {
  const {count, smallestBytes, largestBytes} = job.input
  const input =
    count > 100
      ? {count: Math.ceil(count / 10), smallestBytes, largestBytes}
      : {count, smallestBytes: Math.ceil(smallestBytes / 10), largestBytes: Math.ceil(largestBytes / 10)}
  return {...job, title: `${job.title}, cut to a tenth`, rounds: 1, input}
}

function sending(
  programs: Programs,
  choose: (openMsiStream: NonNullable<Programs['openMsiStream']>) => Uploader,
  limits: readonly Uploader[] = optional(programs.kcatProduce),
): Contender[] {
  return [
    {role: 'ours', sends: programs.streamtool.upload},
    ...theirs(programs, (openMsiStream) => ({role: 'theirs', sends: choose(openMsiStream)})),
    ...limits.map((sends): Contender => ({role: 'limit', sends})),
  ]
}

/** Each reads what its own uploader wrote; ours reads theirs as well. */
function receiving(
  programs: Programs,
  limits: readonly Downloader[] = optional(programs.kcatConsume),
): Contender[] {
  const {upload, reconstruct} = programs.streamtool
  return [
    {role: 'ours', receives: reconstruct, writtenBy: upload},
    ...theirs(programs, ({downloadDirectory, uploadDirectory}) => ({
      role: 'theirs',
      receives: downloadDirectory,
      writtenBy: uploadDirectory,
    })),
    ...theirs(programs, ({uploadDirectory}) => ({
      role: 'ours',
      receives: reconstruct,
      writtenBy: uploadDirectory,
    })),
    ...limits.map((receives): Contender => ({role: 'limit', receives, writtenBy: upload})),
  ]
}

/** Each reads what its own uploader wrote. */
function storing({streamtool, openMsiStream, plainPutter}: Programs): Contender[] {
  const {upload, s3Transfer} = streamtool
  const their = openMsiStream?.s3Transfer ?? null
  return [
    ...optional(s3Transfer).map((stores): Contender => ({role: 'ours', stores, writtenBy: upload})),
    ...(openMsiStream === null || their === null
      ? []
      : [{role: 'theirs' as const, stores: their, writtenBy: openMsiStream.uploadDirectory}]),
    ...optional(plainPutter).map((stores): Contender => ({role: 'limit', stores, writtenBy: upload})),
  ]
}

function relaying({streamtool, kafkajsRelay}: Programs): Contender[] {
  return [
    {role: 'ours', relays: streamtool.passthrough},
    {role: 'limit', relays: kafkajsRelay},
  ]
}

function theirs(
  {openMsiStream}: Programs,
  contender: (openMsiStream: NonNullable<Programs['openMsiStream']>) => Contender,
): Contender[] {
  return optional(openMsiStream).map(contender)
}

const optional = <Value>(value: Value | null): Value[] => (value === null ? [] : [value])

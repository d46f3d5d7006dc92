import type {InputFiles} from '../input-files.js'
import type {Store} from '../store.js'
import type {Servers, Usage} from '../usage.js'

/** What its files are sent with. */
export interface Uploader {
  readonly name: string
  /** The same bytes as it wants to have them, made before the clock starts. */
  prepare?(input: InputFiles): Promise<InputFiles>
  /** Resolves when every byte is on the topic. */
  upload(input: InputFiles, topic: string): Promise<Usage>
}

/** What a topic is read with. */
export interface Downloader {
  readonly name: string
  /** Resolves when every file is whole in `output`. */
  download(topic: string, input: InputFiles, output: string): Promise<Usage>
  /** Files in `output` that are its own; null when it throws away what it reads. */
  readonly ownFiles: RegExp | null
  /** It takes the files from where they are. */
  readonly readsNoTopic?: true
}

/** What the files of a topic are stored in a bucket with; their keys begin with the topic. */
export interface Storer {
  readonly name: string
  /**
   * Resolves when every file is an object.
   * @throws {NotFinished}
   */
  store(topic: string, input: InputFiles, bucket: string): Promise<Usage>
  /** It takes the files from where they are. */
  readonly readsNoTopic?: true
}

/** So long is nobody waited for: a result like any other. */
export class NotFinished extends Error {
  constructor(readonly afterSeconds: number) {
    super(`not finished after ${afterSeconds} s`)
  }
}

/** What the records of one topic are passed on to another with; it acknowledges and commits as streamtool does. */
export interface Relayer {
  readonly name: string
  /** Resolves when every record is on the output, and committed. */
  relay(input: string, output: string): Promise<Usage>
}

/** What every program is started with. */
export interface Surroundings {
  readonly bootstrap: string
  readonly servers: Servers
  /** Null when there is none. */
  readonly store: Store | null
  /** Empty; a program may leave logs and state in it. */
  readonly home: string
}

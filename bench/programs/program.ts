import type {InputFiles} from '../input-files.js'
import type {Usage} from '../usage.js'

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

/** What the records of one topic are passed on to another with; it acknowledges and commits as streamtool does. */
export interface Relayer {
  readonly name: string
  /** Resolves when every record is on the output, and committed. */
  relay(input: string, output: string): Promise<Usage>
}

/** What every program is started with. */
export interface Surroundings {
  readonly bootstrap: string
  readonly brokerPid: number | null
  /** Empty; a program may leave logs and state in it. */
  readonly home: string
}

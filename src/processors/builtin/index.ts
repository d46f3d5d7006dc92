/** The processors that come with streamtool, by the name that `--plugin` takes. Each is imported when it is asked for. */
import type {Processor} from '../contract.js'

export interface BuiltinProcessor {
  /** One line for --list and --help. */
  readonly description: string
  /** Its results are all that it does: without --result-topic it is refused at start. */
  readonly needsResultTopic: boolean
  load(): Promise<Processor>
}

export const BUILTIN_PROCESSORS: ReadonlyMap<string, BuiltinProcessor> = new Map([
  [
    'checksum-manifest',
    {
      description: 'keeps a SHA-256 manifest of each directory, for `sha256sum -c`',
      needsResultTopic: false,
      load: async () => (await import('./checksum-manifest.js')).checksumManifest,
    },
  ],
  [
    'json-metadata',
    {
      description: 'sends the facts of each file to the result topic, as JSON',
      needsResultTopic: true,
      load: async () => (await import('./json-metadata.js')).jsonMetadata,
    },
  ],
])

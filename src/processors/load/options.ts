/** What a plugin is loaded with. */
import type {Processor} from '../contract.js'

/** Processors that are part of streamtool, by name; each is imported when it is asked for. */
export type Builtins = ReadonlyMap<string, {load(): Promise<Processor>}>

export interface LoadOptions {
  /** The working directory: paths and packages are looked for from here. */
  readonly from: string
  /** Further directories with a `node_modules` of their own, in this order. */
  readonly also?: readonly string[]
  readonly builtins?: Builtins
  /** Names of flags that a plugin's may not shadow, as in `topic` or `chunkSize`. */
  readonly reservedFlags?: Iterable<string>
  /** What the plugin is wanted for; neither is asked for unless given. */
  readonly member?: 'process' | 'transform'
}

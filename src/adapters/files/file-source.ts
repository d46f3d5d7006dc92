/**
 * Local files to be sent.
 *
 * - A file named by itself is sent under its base name, what is in a directory under its path relative to the
 *   directory that was named. A prefix goes before all of them.
 * - Symbolic links that the user names are followed, to files and to directories. Those found inside a directory
 *   are not: they can lead out of it to what nobody meant to send, or round in a circle. Each is reported as
 *   skipped, as are FIFOs, sockets and devices, so that nothing is left out silently; what a link inside the same
 *   tree points to is sent under its own name anyway.
 * - `.streamtool` directories hold state of streamtool and are left out.
 * - A file that goes away between being listed and being looked at was never there. What cannot be read, or has a
 *   name that cannot be sent, is reported, and the rest goes on.
 *
 * Listing is a stream: one directory is in memory at a time, whatever the size of the tree.
 */
import {checkPath} from '../../core/chunk/paths.js'
import {StreamtoolError} from '../../core/errors.js'
import type {FileSource, SourceFile, SourceProblem} from '../../core/ports/index.js'
import {sourceFile} from './source-file.js'
import {type Input, lookAtInputs, refuseCollisions} from './source-inputs.js'
import {type Exclude, unsendable, walk} from './source-walk.js'
import {type StdinOptions, StdinSpool} from './stdin-spool.js'

export interface FileSourceOptions {
  /** As the user named them. `-` is the stream, when there is one. */
  readonly inputs: readonly string[]
  /** Goes before every path; a directory on the topic. */
  readonly pathPrefix?: string
  readonly stdin?: StdinOptions
  /** For files: leaves it out. For directories: leaves out all that is below. Excluded is not reported. */
  readonly exclude?: Exclude
}

/** @throws SETTING_INVALID, PATH_UNSENDABLE for a prefix, or a name of the stream, that cannot be sent */
export function createFileSource(options: FileSourceOptions): FileSource & {close(): Promise<void>} {
  const {inputs, stdin, exclude = () => false} = options
  const toWire = wirePaths(options.pathPrefix)
  const spool = stdin === undefined ? null : new StdinSpool(stdin)
  if (stdin !== undefined) requireSendable(toWire(stdin.name))
  let looked: Promise<readonly Input[]> | null = null

  const lookOnce = async (): Promise<readonly Input[]> => {
    const found = await lookAtInputs(inputs, stdin?.name ?? null)
    await refuseCollisions(found, exclude)
    return found
  }

  const listInput = async function* (input: Input): AsyncGenerator<SourceFile | SourceProblem> {
    const {localPath} = input
    if (input.kind === 'unreadable') {
      yield {localPath, path: null, code: 'FILE_UNREADABLE', reason: input.reason}
    } else if (input.kind === 'directory') {
      for await (const found of walk(localPath, {toWire, exclude})) {
        yield 'code' in found ? found : sourceFile(found)
      }
    } else if (!exclude(input.relativePath, 'file')) {
      const path = toWire(input.relativePath)
      const refused = checkPath(path)
      if (refused !== null) yield unsendable(localPath, refused)
      else if (input.kind === 'file') yield sourceFile({...input, path, followLinks: true})
      else if (spool !== null) yield await spool.file(path)
    }
  }

  return {
    async *list() {
      looked ??= lookOnce()
      for (const input of await looked) yield* listInput(input)
    },

    async close() {
      await spool?.close()
    },
  }
}

function wirePaths(prefix: string | undefined): (relativePath: string) => string {
  const directory = prefix?.replace(/\/+$/, '') ?? ''
  if (directory === '') return (relativePath) => relativePath
  const refused = checkPath(directory)
  if (refused === null) return (relativePath) => `${directory}/${relativePath}`
  throw new StreamtoolError('SETTING_INVALID', `"${directory}" cannot be a path prefix: ${refused}.`, {
    suggestions: ['Give a relative directory with forward slashes, such as --path-prefix lab/run-7.'],
  })
}

function requireSendable(path: string): void {
  const refused = checkPath(path)
  if (refused === null) return
  throw new StreamtoolError('PATH_UNSENDABLE', `"${path}" cannot be the name of a file: ${refused}.`, {
    suggestions: ['Give a relative path with forward slashes, such as --name results/run-7.csv.'],
  })
}

/**
 * stdout and stderr of this process. A reader that goes away, as `head` does, is no failure: nothing more is written
 * to it, and whoever wants to know is told.
 */
import type {OutputStreams} from './output.js'
import type {TextStream} from './screen.js'

interface Guarded extends TextStream {
  readonly onReaderGone: (listener: () => void) => void
}

let streams: (OutputStreams & {readonly stdout: Guarded}) | null = null

/** The same ones at each call: listeners are set once. */
export function processStreams() {
  streams ??= {stdout: guarded(process.stdout), stderr: guarded(process.stderr), now: () => new Date()}
  return streams
}

function guarded(stream: NodeJS.WriteStream): Guarded {
  const listeners: (() => void)[] = []
  let gone = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (gone) return
    if (error.code !== 'EPIPE') throw error
    gone = true
    for (const listener of listeners) listener()
  })
  return {
    write: (text) => gone || stream.write(text),
    get isTTY() {
      return stream.isTTY
    },
    get columns() {
      return stream.columns
    },
    get rows() {
      return stream.rows
    },
    onReaderGone: (listener) => {
      listeners.push(listener)
    },
  }
}

/** Progress at a terminal: one task of listr2, drawn on stderr, with counts, rate and time left in its title. */
import type {ListrTaskWrapper} from 'listr2'
import type {Progress} from '../../core/report.js'
import type {ProgressDisplay} from './progress.js'
import {progressLine, shortened} from './progress-line.js'
import {printable} from './quantities.js'
import {createRate} from './rate.js'
import type {Screen} from './screen.js'

const REDRAW_MS = 100
/** Icon, its space, and the margin that the renderer keeps. */
const MARGIN = 5

export async function startTerminalProgress(screen: Screen, title: string): Promise<ProgressDisplay> {
  const {DefaultRenderer, Listr, ListrLogger, ProcessOutput} = await import('listr2')
  // It would choose by stdout, which may well be a pipe when stderr is a terminal.
  class StderrRenderer extends DefaultRenderer {
    static override nonTTY = true
  }
  const live = screen.live as unknown as NodeJS.WriteStream
  const rate = createRate()
  const end = deferred()
  let source: (() => Progress) | null = null
  let task: Task | null = null

  const redraw = () => {
    if (source === null || task === null) return
    const progress = source()
    task.title = fitted(progressLine(progress, rate.observe(progress.bytesDone, Date.now())))
    if (progress.currentPath !== null) task.output = shortened(progress.currentPath, width())
  }
  const timer = setInterval(redraw, REDRAW_MS)
  const list = new Listr<object, typeof StderrRenderer>(
    [
      {
        title: fitted(title),
        task: async (_, started) => {
          task = started
          await end.promise
        },
      },
    ],
    {
      renderer: StderrRenderer,
      rendererOptions: {logger: new ListrLogger({processOutput: new ProcessOutput(live, live)})},
      // On SIGINT it would exit with 127, and nothing would be finished or committed.
      registerSignalListeners: false,
      exitOnError: false,
    },
  )
  const running = list.run()

  const finish = async (headline: string, success: boolean) => {
    clearInterval(timer)
    if (task !== null) task.title = fitted(headline)
    if (success) end.resolve()
    else end.reject(new Error(fitted(headline)))
    await running
    screen.settle()
  }
  return {
    watch: (next) => {
      source = next
    },
    finish: async (headline, success) => {
      await finish(headline, success)
      return true
    },
  }
}

type Task = Pick<ListrTaskWrapper<object, never, never>, 'title' | 'output'>

/** The renderer measures stdout, and 80 columns when that is no terminal. */
const width = () => Math.min(process.stderr.columns || 80, process.stdout.columns || 80) - MARGIN

function fitted(line: string): string {
  const shown = printable(line)
  return shown.length <= width() ? shown : `${shown.slice(0, width() - 1)}…`
}

function deferred() {
  let resolve: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return {promise, resolve, reject}
}

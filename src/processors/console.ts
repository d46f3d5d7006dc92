/** stdout is for results: what plugins print with `console` goes to stderr, like all words. */
import {Console} from 'node:console'

/** For the whole process, before a plugin is loaded. @returns gives the console back */
export function consoleToStderr(): () => void {
  const before = globalThis.console
  globalThis.console = new Console({stdout: process.stderr, stderr: process.stderr})
  return () => {
    globalThis.console = before
  }
}

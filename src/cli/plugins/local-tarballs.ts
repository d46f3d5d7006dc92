/**
 * `plugins install ./package.tgz`: a tarball that is there is meant, as npm has it. oclif would take it for a repository
 * of GitHub, and hand a relative URL to an npm that runs elsewhere.
 */
import {existsSync} from 'node:fs'
import {resolve} from 'node:path'

export function namingTarballs(argv: readonly string[], cwd: string): string[] {
  const [topic, command = ''] = argv
  if (topic !== 'plugins' || !['install', 'add'].includes(command)) return [...argv]
  return argv.map((argument) => {
    const path = /^(?:file:)?(.+\.(?:tgz|tar\.gz))$/.exec(argument)?.[1]
    if (path === undefined || argument.startsWith('-')) return argument
    const absolute = resolve(cwd, path)
    return existsSync(absolute) ? `file:${absolute}` : argument
  })
}

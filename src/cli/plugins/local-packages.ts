/**
 * `plugins install ./package.tgz`: a tarball is meant, as npm has it. oclif would take what has a slash for a repository
 * of GitHub, and hand a relative URL to an npm that runs elsewhere.
 */
import {statSync} from 'node:fs'
import {resolve} from 'node:path'
import {fileURLToPath} from 'node:url'
import {StreamtoolError} from '../../core/errors.js'

/**
 * @returns the arguments, with whole paths for tarballs
 * @throws USAGE for what can only be a path, and leads to no tarball
 */
export function namingTarballs(argv: readonly string[], cwd: string): string[] {
  const [topic, command = ''] = argv
  if (topic !== 'plugins' || !['install', 'add'].includes(command)) return [...argv]
  return argv.map((argument) => {
    const path = pathOf(argument)
    return path === null ? argument : `file:${tarballAt(resolve(cwd, path), argument)}`
  })
}

/** By npm's rules: what begins like a path, and whatever ends like a tarball and is no URL. */
function pathOf(spec: string): string | null {
  if (spec.startsWith('-')) return null
  if (spec.startsWith('file://')) return URL.canParse(spec) ? fileURLToPath(spec) : null
  if (spec.startsWith('file:')) return spec.slice('file:'.length)
  const isPath =
    /^(\.{0,2}[/\\]|\.{1,2}$|~\/|[a-z]:[/\\])/i.test(spec) ||
    (/\.(tgz|tar\.gz)$/.test(spec) && !/^[a-z+]+:/i.test(spec))
  return isPath ? spec : null
}

function tarballAt(path: string, written: string): string {
  const found = statSync(path, {throwIfNoEntry: false})
  // npm makes a link to a directory that is named so.
  if (found !== undefined && (found.isFile() || written.startsWith('file:'))) return path
  throw found === undefined
    ? unusable(`There is no ${written}: ${path} does not exist.`, [
        'Name a tarball that is there, or a package of the registry (name, name@1.2.0).',
      ])
    : unusable(`${written} is a directory, and packages are installed from tarballs.`, [
        `Run npm pack in ${path}, and install the tarball that it makes.`,
        `To run it from where it is: streamtool plugins link ${written}`,
      ])
}

const unusable = (message: string, suggestions: readonly string[]) =>
  new StreamtoolError('USAGE', message, {suggestions})

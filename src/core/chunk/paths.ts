/**
 * Paths on the wire: relative, `/`-separated. They come from anybody, and end in a file system or a bucket, so a
 * path is refused unless each component is an ordinary name.
 */

/** Longer than any file system takes; a bound for what is kept in memory per path. */
const MAX_PATH_BYTES = 4096

/** The directory in which streamtool keeps its own state below an output directory. */
export const STATE_DIRECTORY = '.streamtool'

/** @returns null when the path is fine, else what is wrong with it */
export function checkPath(path: string): string | null {
  if (path === '') return 'it is empty'
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `it is longer than ${MAX_PATH_BYTES} bytes`
  if (path.includes('\0')) return 'it contains NUL'
  if (!path.isWellFormed()) return 'it is not well-formed Unicode'
  for (const component of path.split('/')) {
    if (component === '') return 'it is absolute or has an empty component'
    if (component === '.' || component === '..') return `it has a "${component}" component`
    if (component === STATE_DIRECTORY) return `"${STATE_DIRECTORY}" is reserved`
  }
  return null
}

/** Splits at the last slash. */
export function splitWirePath(path: string): {subdir: string; name: string} {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? {subdir: '', name: path} : {subdir: path.slice(0, slash), name: path.slice(slash + 1)}
}

export function joinWirePath(subdir: string, name: string): string {
  return subdir === '' ? name : `${subdir}/${name}`
}

/** `data.csv` + `_v2` -> `data_v2.csv`. The suffix begins at the last dot that is neither first nor last. */
export function appendToStem(name: string, append: string): string {
  if (append === '') return name
  const dot = name.lastIndexOf('.')
  const stemEnd = dot > 0 && dot < name.length - 1 ? dot : name.length
  return name.slice(0, stemEnd) + append + name.slice(stemEnd)
}

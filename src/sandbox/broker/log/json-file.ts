import {readFileSync, renameSync, writeFileSync} from 'node:fs'

/** Replaces the file as a whole: a crash leaves the old or the new one. */
export function writeJsonFile(path: string, content: unknown): void {
  const next = `${path}.next`
  writeFileSync(next, `${JSON.stringify(content, null, 2)}\n`, {flush: true})
  renameSync(next, path)
}

/** Null when there is none. What is in it is of our own writing, and only `isExpected` is taken for granted. */
export function readJsonFile<Content>(
  path: string,
  isExpected: (content: unknown) => content is Content,
): Content | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw thrown
  }
  const content: unknown = JSON.parse(text)
  if (!isExpected(content)) throw new Error(`${path} is not what the sandbox writes there`)
  return content
}

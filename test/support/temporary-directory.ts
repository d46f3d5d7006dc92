import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {afterAll, onTestFinished} from 'vitest'

/** A directory for the running test; removed after whatever the test registers later with `onTestFinished`. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await make()
  onTestFinished(() => rm(directory, {recursive: true, force: true}))
  return directory
}

/** Makes directories that live as long as the tests of the file, or of the `describe`, that calls this. */
export function temporaryDirectories(): () => Promise<string> {
  const made: string[] = []
  afterAll(() => Promise.all(made.map((directory) => rm(directory, {recursive: true, force: true}))))
  return async () => {
    const directory = await make()
    made.push(directory)
    return directory
  }
}

function make(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'streamtool-test-'))
}

/** Compares two directories to the last byte. */
import {open, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {listFiles} from './files.mjs'

/** @returns {Promise<{files: number, bytes: number, differences: string[]}>} */
export async function compareDirectories(expected, actual) {
  const [want, have] = await Promise.all([listFiles(expected), listFiles(actual)])
  const differences = [
    ...want.filter((path) => !have.includes(path)).map((path) => `missing: ${path}`),
    ...have.filter((path) => !want.includes(path)).map((path) => `not asked for: ${path}`),
  ]
  let bytes = 0
  for (const path of want.filter((each) => have.includes(each))) {
    const difference = await compareFiles(join(expected, path), join(actual, path))
    if (difference) differences.push(`${path}: ${difference}`)
    bytes += (await stat(join(expected, path))).size
  }
  return {files: want.length, bytes, differences}
}

async function compareFiles(a, b) {
  const [before, after] = await Promise.all([stat(a), stat(b)])
  if (before.size !== after.size) return `${before.size} bytes became ${after.size}`
  if (Math.abs(before.mtimeMs - after.mtimeMs) > 1) return 'its time of modification is another'
  const [left, right] = await Promise.all([open(a), open(b)])
  try {
    const x = Buffer.allocUnsafe(1 << 20)
    const y = Buffer.allocUnsafe(1 << 20)
    for (let position = 0; position < before.size; position += x.length) {
      const {bytesRead} = await left.read(x, 0, x.length, position)
      await right.read(y, 0, bytesRead, position)
      if (!x.subarray(0, bytesRead).equals(y.subarray(0, bytesRead))) return `differs near byte ${position}`
    }
    return null
  } finally {
    await left.close()
    await right.close()
  }
}

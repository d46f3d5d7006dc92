import {join} from 'node:path'
import {writeLargeFile, writeSmallFiles, writeTree} from '../trees.js'

const MIB = 1 << 20

export interface MixedFiles {
  readonly small: number
  readonly large: number
}

/** Several thousand files: empty ones, small ones, some of many chunks. */
export async function writeMixedFiles(root: string, {small, large}: MixedFiles): Promise<void> {
  await writeSmallFiles(join(root, 'small'), small)
  await writeTree(root, {'empty.dat': '', 'deep/er/empty too': Buffer.alloc(0)})
  for (let index = 0; index < large; index++) {
    await writeLargeFile(join(root, 'large', `${index}.raw`), (index % 3) * 3 * MIB + 700_001)
  }
}

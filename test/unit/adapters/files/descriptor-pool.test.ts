import {open, readFile, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {describe, expect, it} from 'vitest'
import {DescriptorPool} from '../../../../src/adapters/files/descriptor-pool.js'
import {PooledFile} from '../../../../src/adapters/files/pooled-file.js'
import {calls} from '../../../../src/adapters/system/calls.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

describe('DescriptorPool', () => {
  it('keeps no more files open than it may, and opens them again at need', async () => {
    const directory = await temporaryDirectory()
    const pool = new DescriptorPool(8)
    const files = Array.from(
      {length: 100},
      (_, i) => new PooledFile(path.join(directory, `${i}`), pool, 0o600),
    )
    for (let round = 0; round < 3; round += 1) {
      for (const [i, file] of files.entries()) {
        await file.append(Buffer.from(`${i}.${round};`))
        expect(pool.openCount).toBeLessThanOrEqual(9)
      }
    }
    expect(await readFile(path.join(directory, '42'), 'utf8')).toBe('42.0;42.1;42.2;')
    await pool.closeAll()
    expect(pool.openCount).toBe(0)
  })

  it('never closes a descriptor that is in use', async () => {
    const directory = await temporaryDirectory()
    const pool = new DescriptorPool(2)
    const busy = new PooledFile(path.join(directory, 'busy'), pool, 0o600)
    await pool.use(busy, async (descriptor) => {
      for (let i = 0; i < 10; i += 1) {
        await new PooledFile(path.join(directory, `other-${i}`), pool, 0o600).append(Buffer.from('x'))
      }
      expect((await calls.fstat(descriptor)).isFile()).toBe(true)
    })
    await pool.closeAll()
  })

  it('thousands of files that one fetch answer begins do not run out of descriptors', async () => {
    const directory = await temporaryDirectory()
    const pool = new DescriptorPool(8)
    let mostOpen = 0
    const begun = Array.from({length: 1000}, async (_, i) => {
      const file = new PooledFile(path.join(directory, `${i}`), pool, 0o600)
      await file.append(Buffer.from('x'))
      mostOpen = Math.max(mostOpen, pool.openCount)
    })
    await Promise.all(begun)
    expect(mostOpen).toBeLessThanOrEqual(16)
    await pool.closeAll()
  })

  it('opens a file once for all who use it at the same time', async () => {
    const directory = await temporaryDirectory()
    await writeFile(path.join(directory, 'f'), 'x')
    let opened = 0
    const pool = new DescriptorPool(4)
    const file = {
      open: async () => {
        opened += 1
        return calls.open(path.join(directory, 'f'), 0)
      },
    }
    await Promise.all(Array.from({length: 10}, () => pool.use(file, (descriptor) => calls.fstat(descriptor))))
    expect(opened).toBe(1)
    await pool.closeAll()
  })

  it('tries again after a failure to open', async () => {
    const directory = await temporaryDirectory()
    const missing = path.join(directory, 'missing')
    const pool = new DescriptorPool(4)
    const file = {open: () => calls.open(missing, 0)}
    await expect(pool.use(file, async () => undefined)).rejects.toMatchObject({code: 'ENOENT'})
    await (await open(missing, 'w')).close()
    await pool.use(file, async () => undefined)
    await pool.closeAll()
  })
})

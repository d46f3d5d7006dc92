/** Trouble with a directory that holds nothing but what is spilled: one that is gone is made again. */
import {mkdir, unlink, writeFile} from 'node:fs/promises'
import path from 'node:path'
import {naming} from '../system/storage-error.js'
import {type StorageWatch, waitOutOutages, type WhenStorageAllows} from './storage-outage.js'

export function waitOutSpillOutages(watch: Omit<StorageWatch, 'examine'>): WhenStorageAllows {
  const {directory} = watch
  const probe = path.join(directory, `.probe-${process.pid}`)
  return waitOutOutages({
    ...watch,
    examine: () =>
      naming('write', directory, async () => {
        await mkdir(directory, {recursive: true, mode: 0o700})
        await writeFile(probe, 'x', {mode: 0o600, flush: true})
        await unlink(probe)
      }),
  })
}

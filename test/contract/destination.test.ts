import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import path from 'node:path'
import {createDirectoryDestination} from '../../src/adapters/files/directory-destination.js'
import {createMemoryDestination} from '../../src/adapters/memory/memory-destination.js'
import {systemClock} from '../../src/adapters/system/clock.js'
import type {StagingMode} from '../../src/adapters/files/staging/index.js'
import {fakeHost, processing, removeRoot} from '../support/fake-host.js'
import {noSteps, recordedLog} from '../support/quiet.js'
import {openBucketOn, startStore} from '../support/s3/bucket-under-test.js'
import {destinationContract} from './destination.contract.js'

destinationContract('directory', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'streamtool-contract-'))
  const destination = await createDirectoryDestination({
    root,
    concurrency: 16,
    clock: systemClock,
    logger: recordedLog(),
    steps: noSteps,
  })
  return {
    destination,
    async visible() {
      const files = (await filesBelow(root)).filter((file) => !file.startsWith('.streamtool/'))
      return new Map(
        await Promise.all(files.map(async (file) => [file, await readFile(path.join(root, file))] as const)),
      )
    },
    async leftOvers() {
      return (await filesBelow(path.join(root, '.streamtool/partial'))).filter(
        (file) => !file.endsWith('.lock') && !file.endsWith('.run'),
      )
    },
    async close() {
      await destination.close()
      await rm(root, {recursive: true})
    },
  }
})

destinationContract('memory', async () => {
  const destination = createMemoryDestination()
  return {
    destination,
    visible: async () => new Map([...destination.files].map(([file, {content}]) => [file, content!])),
    leftOvers: async () => [],
    close: () => destination.close(),
  }
})

for (const mode of ['memory', 'disk'] satisfies StagingMode[])
  destinationContract(`processor, mode ${mode}`, async () => {
    const processed = new Map<string, Buffer>()
    const host = fakeHost(async (file, content) => {
      const pieces: Buffer[] = []
      for await (const piece of content.read()) pieces.push(Buffer.from(piece))
      processed.set(file.path, Buffer.concat(pieces))
    })
    const under = await processing(host, {mode})
    return {
      destination: under.destination,
      visible: async () => processed,
      leftOvers: async () =>
        (await filesBelow(path.join(under.root, '.streamtool')).catch(() => [])).filter(
          (file) => /^partial\/\d+\/.*\.dir/.test(file) || file.startsWith('attempts/'),
        ),
      async close() {
        await under.close()
        await removeRoot(under)
      },
    }
  })

destinationContract('bucket', async () => {
  const store = await startStore()
  const {destination, spill} = await openBucketOn(store)
  return {
    destination,
    visible: () => store.objects(),
    leftOvers: async () => [
      ...(await store.pendingUploads()),
      ...Array.from({length: spill.openFiles}, () => 'a spill file'),
    ],
    async close() {
      await destination.close()
      await store.close()
    },
  }
})

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, {recursive: true, withFileTypes: true})
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
}

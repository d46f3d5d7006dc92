/**
 * A SHA-256 manifest of each directory, `<output>/<subdir>/SHA256SUMS`: `sha256sum -c` with it, in the directory
 * that holds the files, tells whether they are still what was sent.
 */
import {createHash} from 'node:crypto'
import {join} from 'node:path'
import {addAbortSignal} from 'node:stream'
import {defineProcessor} from '../contract.js'
import {ManifestFiles} from './manifest-files.js'

/** What this process knows of the manifests that it writes; each is looked at again before it is changed. */
const manifests = new ManifestFiles()

export const checksumManifest = defineProcessor({
  name: 'checksum-manifest',
  description: 'keeps a SHA-256 manifest of each directory, for `sha256sum -c`',
  flags: {
    manifestName: {
      type: 'string',
      default: 'SHA256SUMS',
      description: 'name of the manifest in each directory',
    },
  },

  setup({options: {manifestName}}) {
    if (/^(|\.|\.\.|\.streamtool)$|[/\0]/.test(manifestName)) {
      throw new Error(`"${manifestName}" is no name for a manifest: give a file name, without a directory`)
    }
  },

  async process(file, context) {
    const hash = createHash('sha256')
    for await (const piece of addAbortSignal(context.signal, file.stream())) hash.update(piece as Buffer)
    const manifest = join(context.outputDir, file.subdir, context.options.manifestName)
    const checksum = hash.digest('hex')
    const entered = await context.lock(() => manifests.enter(manifest, file.name, checksum))
    await entered.sync()
  },

  teardown() {
    manifests.forget()
  },
})

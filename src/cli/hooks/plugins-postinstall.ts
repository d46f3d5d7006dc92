/**
 * After a plugin was installed: its commands are written down beside it, as oclif's own `oclif manifest` would, unless
 * its package says them already. Without that each start of streamtool would load all of them to see what they are.
 */
import {writeFile} from 'node:fs/promises'
import {join, sep} from 'node:path'
import type {Hook, Plugin} from '@oclif/core'

const hook: Hook<'plugins:postinstall'> = async function ({config}) {
  const installed = join(config.dataDir, 'node_modules') + sep
  for (const plugin of config.plugins.values() as Iterable<Plugin>) {
    const {root, hasManifest, manifest, commandIDs} = plugin
    // A command that cannot be loaded is to be said at each start.
    const allLoaded = commandIDs.every((id) => id in manifest.commands)
    if (!root.startsWith(installed) || hasManifest || !allLoaded) continue
    await writeFile(join(root, 'oclif.manifest.json'), JSON.stringify(manifest))
  }
}

export default hook

/** Before npm installs a plugin: so that it finds the running streamtool where a plugin asks for one. */
import type {Hook} from '@oclif/core'
import {offerStandIn, packageRoot} from '../plugins/stand-in.js'

const hook: Hook<'plugins:preinstall'> = async function ({config}) {
  offerStandIn(config.dataDir, packageRoot)
}

export default hook

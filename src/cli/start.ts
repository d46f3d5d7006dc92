/** Where bin/run.js leads: oclif runs the command. What goes wrong around commands is said like what goes wrong in them. */
import {flush, run} from '@oclif/core'
import {namingTarballs} from './plugins/local-packages.js'
import {dataDirectory, packageRoot, refreshStandIn} from './plugins/stand-in.js'
import {warnOfBrokenPlugins} from './plugins/warnings.js'

/** @param bin URL of the file that was started */
export async function start(bin: string): Promise<void> {
  const argv = process.argv.slice(2)
  warnOfBrokenPlugins(argv)
  refreshStandIn(dataDirectory(process.env, process.platform), packageRoot)
  try {
    await run(namingTarballs(argv, process.cwd()), bin)
    await flush()
  } catch (thrown) {
    const {explainOutsideCommands} = await import('./errors/outside-commands.js')
    await explainOutsideCommands(thrown, argv, bin)
  }
}

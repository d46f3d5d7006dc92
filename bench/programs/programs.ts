import {isInstalled} from '../../test/support/processes.js'
import type {Topics} from '../topics.js'
import {kafkajsRelay, kcatConsume, kcatProduce, plainPutter, plainWriter} from './limits.js'
import {installOpenMsiStream, type OpenMsiStreamPrograms} from './openmsistream.js'
import type {Downloader, Relayer, Storer, Surroundings, Uploader} from './program.js'
import {installStreamtool, type Streamtool} from './streamtool.js'

export interface Programs {
  readonly streamtool: Streamtool
  readonly openMsiStream: OpenMsiStreamPrograms | null
  readonly kcatProduce: Uploader | null
  readonly kcatConsume: Downloader | null
  readonly plainWriter: Downloader
  readonly kafkajsRelay: Relayer
  /** Null without a store. */
  readonly plainPutter: Storer | null
  /** What could not be had, and why. */
  readonly missing: readonly string[]
}

/** Everything that can be had on this machine; the rest is named. */
export async function installPrograms(
  surroundings: Surroundings,
  topics: Topics,
  missing: string[],
): Promise<Programs> {
  const streamtool = await installStreamtool(surroundings)
  const openMsiStream = await installOpenMsiStream(surroundings, topics).catch((error: unknown) => {
    missing.push(`OpenMSIStream: ${error instanceof Error ? error.message : String(error)}`)
    return null
  })
  const hasKcat = await isInstalled('kcat')
  if (!hasKcat)
    missing.push('kcat: not installed (Debian: apt-get install kcat); uploads are not compared byte for byte')
  return {
    streamtool,
    openMsiStream,
    kcatProduce: hasKcat ? kcatProduce(surroundings) : null,
    kcatConsume: hasKcat ? kcatConsume(surroundings) : null,
    plainWriter: plainWriter(surroundings),
    kafkajsRelay: kafkajsRelay(surroundings),
    plainPutter: surroundings.store === null ? null : plainPutter(surroundings, surroundings.store),
    missing,
  }
}

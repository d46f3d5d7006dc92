/**
 * `streamtool/cli`: what a package needs that adds a command. A new destination is one subclass of
 * {@link FileConsumingCommand}: it says where files go, and has group, membership, stopping, report and exit codes from
 * there. docs/writing-a-command.md shows one; examples/http-put-command is one.
 */
import {createHash} from 'node:crypto'

export type {
  Destination,
  FileWriter,
  FinishOutcome,
  IncomingFile,
  Logger,
  SpillStore,
} from '../core/ports/index.js'
export type {Delivery} from './delivery.js'
export {
  type DeliverySurroundings,
  FileConsumingCommand,
  type FileConsumingSettings,
} from './file-consuming-command.js'
export {fileConsumingSettings} from './settings/catalog.js'
export {flagsOf} from './settings/flags.js'
export {
  choice,
  duration,
  integer,
  list,
  pairs,
  path,
  pem,
  secret,
  type Secret,
  type Setting,
  type Settings,
  size,
  text,
  toggle,
  type Values,
} from './settings/setting.js'

/** Where chunks wait for their turn when files go to no local directory; gone when closed. */
export async function openTemporarySpill() {
  return (await import('./compose.js')).openTemporarySpill()
}

/**
 * A consumer group that belongs to a destination: the same each time, another for another place.
 * @param place what tells it from others: a URL, a bucket with its prefix; it is hashed
 */
export function groupOf(command: string, topic: string, place: string): string {
  const digest = createHash('sha256').update(place).digest('hex').slice(0, 16)
  return `streamtool-${command}-${topic}-${digest}`
}

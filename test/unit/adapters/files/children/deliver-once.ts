/** Delivers one generation of one file, and is gone at the step that is named. Prints the outcome if it gets there. */
import {createDirectoryDestination} from '../../../../../src/adapters/files/directory-destination.js'
import type {OnConflict} from '../../../../../src/adapters/files/placing.js'
import {systemClock} from '../../../../../src/adapters/system/clock.js'
import {incomingFile} from '../../../../support/incoming-file.js'
import {recordedLog} from '../../../../support/quiet.js'

const [root, onConflict, path, text, offset, killedAt] = process.argv.slice(2) as [
  string,
  OnConflict,
  string,
  string,
  string,
  string,
]
const destination = await createDirectoryDestination({
  root,
  onConflict,
  concurrency: 1,
  clock: systemClock,
  logger: recordedLog(),
  steps: {
    reached: (step) => {
      if (step === killedAt) process.kill(process.pid, 'SIGKILL')
    },
  },
})
const content = Buffer.from(text)
const mtimeMs = 1_700_000_000_000 + Number(offset) * 1000
const facts = {offset: Number(offset), uploadId: offset, mtimeMs, orderMtimeMs: mtimeMs}
const writer = await destination.open(incomingFile(path, content, facts), new AbortController().signal)
await writer.write(content)
process.stdout.write(`${await writer.finish(content.length)}\n`)
await destination.close()

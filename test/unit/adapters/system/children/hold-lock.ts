/** Takes a lock, says whether it got it, and holds it until it is killed. */
import {tryLock} from '../../../../../src/adapters/system/process-lock.js'

const [directory, name] = process.argv.slice(2)
const lock = await tryLock(directory!, name!)
process.stdout.write(lock === null ? 'taken\n' : 'held\n')
setInterval(() => undefined, 1000)

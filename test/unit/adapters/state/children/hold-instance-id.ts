/** Prints its instance id, or the code of the error, and holds it until it is killed. */
import {acquireInstanceId} from '../../../../../src/adapters/state/instance-id.js'
import {asStreamtoolError} from '../../../../../src/core/errors.js'

const [stateDir, explicit] = process.argv.slice(2)
try {
  const options = {groupId: 'g', stateDir: stateDir!, hostName: 'host'}
  const {instanceId} = await acquireInstanceId(explicit === undefined ? options : {...options, explicit})
  process.stdout.write(`${instanceId}\n`)
  setInterval(() => undefined, 1000)
} catch (thrown) {
  process.stdout.write(`${asStreamtoolError(thrown).code}\n`)
}

/** `sandbox-process.ts DIR`: a sandbox in a process of its own, to be killed. Prints where it listens. */
import {startSandbox} from '../../../src/sandbox/index.js'
import {silentLogger} from '../delivery.js'

const sandbox = await startSandbox({dir: process.argv[2]!, kafkaPort: 0, logger: silentLogger})
console.log(sandbox.bootstrap)

import {readOrCreateGroupId} from '../../../../../src/adapters/state/group-id.js'

const [output, id] = process.argv.slice(2)
process.stdout.write(`${await readOrCreateGroupId(output!, () => id!)}\n`)

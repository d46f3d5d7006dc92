import {afterAll, beforeAll, it} from 'vitest'
import {standbyTakesOver} from '../support/crash/standby.js'
import {type RealKafka, startRealKafka} from '../support/real-kafka.js'
import {temporaryDirectories} from '../support/temporary-directory.js'

const newDirectory = temporaryDirectories()
let kafka: RealKafka
beforeAll(async () => {
  kafka = await startRealKafka()
})
afterAll(() => kafka.close())

it('--assignment together: a standby delivers everything after its owner was killed', async () => {
  await standbyTakesOver(kafka.bootstrap, newDirectory, '6s')
})

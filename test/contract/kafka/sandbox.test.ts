import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {startSandbox, type Sandbox} from '../../../src/sandbox/index.js'
import {silentLogger} from '../../support/delivery.js'
import type {LeverName} from './backend.js'
import {clientBackend} from './client-backend.js'
import {describeKafkaContract} from './suite.js'

const levers: readonly LeverName[] = ['addPartitions', 'trimLog', 'expireMember', 'restart']

describeKafkaContract({
  name: 'the sandbox',
  levers,
  start: async () => {
    const dir = await mkdtemp(join(tmpdir(), 'streamtool-sandbox-'))
    const open = (kafkaPort: number): Promise<Sandbox> => startSandbox({dir, kafkaPort, logger: silentLogger})
    let sandbox = await open(0)
    const {bootstrap} = sandbox
    return clientBackend(
      {
        bootstrap,
        sessionTimeoutMs: 2000,
        restart: async () => {
          await sandbox.close()
          sandbox = await open(Number(bootstrap.split(':')[1]))
        },
        close: async () => {
          await sandbox.close()
          await rm(dir, {recursive: true})
        },
      },
      levers,
    )
  },
})

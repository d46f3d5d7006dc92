import {createServer, type AddressInfo, type Server} from 'node:net'
import {once} from 'node:events'
import {join} from 'node:path'
import type {Logger} from '../../core/ports/index.js'
import {Connection} from './connection.js'
import {GroupCoordinator} from './groups/coordinator.js'
import {administeringRoutes} from './handlers/administering.js'
import {clusterRoutes} from './handlers/cluster.js'
import {Dispatcher} from './handlers/dispatcher.js'
import {fetchingRoutes} from './handlers/fetching.js'
import {groupingRoutes} from './handlers/grouping.js'
import {producingRoutes} from './handlers/producing.js'
import type {BrokerState} from './handlers/state.js'
import {ClusterIdentity} from './log/cluster-identity.js'
import {Topics} from './log/topics.js'

const LOOPBACK = '127.0.0.1'
const NODE_ID = 1
const MAX_CONNECTIONS = 1000

export interface BrokerOptions {
  /** Holds everything; made when it is not there. Nobody else may use it meanwhile. */
  readonly dir: string
  /** 0 for any free one. */
  readonly port: number
  /** Of topics that are made without a number. */
  readonly defaultPartitions: number
  readonly logger: Logger
}

export interface RunningBroker {
  readonly host: string
  readonly port: number
  /** Ends all connections, writes everything to the disk. */
  close(): Promise<void>
}

/** A single-node Kafka cluster on the loopback interface. Rejects with the system's error when it cannot listen. */
export async function startBroker({
  dir,
  port,
  defaultPartitions,
  logger,
}: BrokerOptions): Promise<RunningBroker> {
  const identity = new ClusterIdentity(dir)
  const topics = new Topics(dir, {defaultPartitions, logger})
  const groups = new GroupCoordinator({
    journalPath: join(dir, 'groups.journal'),
    hasPartition: (topic, partition) => topics.find(topic)?.hasPartition(partition) ?? false,
    logger,
  })
  const closeState = () => {
    groups.close()
    topics.close()
  }

  const server = createServer()
  try {
    await once(server.listen(port, LOOPBACK), 'listening')
  } catch (thrown) {
    closeState()
    throw thrown
  }
  const node = {nodeId: NODE_ID, host: LOOPBACK, port: (server.address() as AddressInfo).port}
  const closeConnections = acceptConnections(
    server,
    dispatcherFor({node, identity, topics, groups, logger}),
    logger,
  )

  return {
    ...node,
    async close() {
      const closed = once(server, 'close')
      server.close()
      closeConnections()
      await closed
      closeState()
    },
  }
}

function dispatcherFor(state: BrokerState): Dispatcher {
  return new Dispatcher([
    ...clusterRoutes(state),
    ...producingRoutes(state),
    ...fetchingRoutes(state),
    ...groupingRoutes(state),
    ...administeringRoutes(state),
  ])
}

function acceptConnections(server: Server, dispatcher: Dispatcher, logger: Logger): () => void {
  const connections = new Set<Connection>()
  server.maxConnections = MAX_CONNECTIONS
  server.on('error', (error) => logger.error(`cannot accept connections: ${error.message}`))
  server.on('connection', (socket) => {
    const connection = new Connection(socket, dispatcher, logger)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  return () => {
    for (const connection of connections) connection.close()
  }
}

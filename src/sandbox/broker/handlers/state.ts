import type {Logger} from '../../../core/ports/index.js'
import type {GroupCoordinator} from '../groups/coordinator.js'
import type {ClusterIdentity} from '../log/cluster-identity.js'
import type {Topics} from '../log/topics.js'
import type {NodeAddress} from '../protocol/cluster.js'

/** All that the handlers work on: the one node of the cluster, its topics and its groups. */
export interface BrokerState {
  readonly node: NodeAddress
  readonly identity: ClusterIdentity
  readonly topics: Topics
  readonly groups: GroupCoordinator
  readonly logger: Logger
}

/** Clients make little of being refused; the one who runs the sandbox should know why. */
export function warnOfTransactions(logger: Logger, {clientId}: {readonly clientId: string}): void {
  logger.warn(`client ${clientId} asked for transactions, which the sandbox does not have`, {clientId})
}

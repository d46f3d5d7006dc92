import {attempt, KafkaError, Refusal} from '../protocol/errors.js'
import {deleteGroups, describeGroups, listGroups} from '../protocol/administration.js'
import {
  heartbeat,
  joinGroup,
  leaveGroup,
  refusedJoin,
  refusedSync,
  syncGroup,
} from '../protocol/group-membership.js'
import {offsetCommit, offsetFetch} from '../protocol/group-offsets.js'
import {route, type Route} from './dispatcher.js'
import type {BrokerState} from './state.js'

/** Consumer groups: what their members say, and what is asked about them. */
export function groupingRoutes({groups}: BrokerState): Route[] {
  return [
    route(joinGroup, (request, client) =>
      orRefused(groups.join(request, client), (code) => ({...refusedJoin(code), memberId: request.memberId})),
    ),
    route(syncGroup, (request) => orRefused(groups.sync(request), refusedSync)),
    route(heartbeat, (request) => ({error: attempt(() => groups.heartbeat(request)).error})),
    route(leaveGroup, ({groupId, memberId, members}) => {
      if (memberId === null) return {error: KafkaError.NONE, members: groups.leave(groupId, members)}
      const [left] = groups.leave(groupId, [{memberId, instanceId: null}])
      return {error: left?.error ?? KafkaError.NONE, members: []}
    }),
    route(offsetCommit, (request) => ({topics: groups.commit(request)})),
    route(offsetFetch, (request) => ({topics: groups.fetchOffsets(request)})),
    route(describeGroups, ({groupIds}) => ({groups: groupIds.map((groupId) => groups.describe(groupId))})),
    route(listGroups, () => ({groups: groups.list()})),
    route(deleteGroups, ({groupIds}) => ({
      groups: groupIds.map((groupId) => ({groupId, error: attempt(() => groups.delete(groupId)).error})),
    })),
  ]
}

async function orRefused<Result>(
  work: Promise<Result>,
  refused: (code: KafkaError) => Result,
): Promise<Result> {
  try {
    return await work
  } catch (thrown) {
    if (thrown instanceof Refusal) return refused(thrown.code)
    throw thrown
  }
}

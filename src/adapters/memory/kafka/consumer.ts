import type {GroupConsumer, GroupOptions} from '../../../core/ports/index.js'
import type {Cluster} from './cluster.js'
import {EpochRun} from './epoch-run.js'
import type {Group} from './group.js'

export function createMemoryConsumer(cluster: Cluster, group: Group, options: GroupOptions): GroupConsumer {
  const {topics, instanceId, leaveOnStop, assignment} = options
  return {
    async run(handler, signal) {
      for (const topic of topics) cluster.topic(topic)
      const membership = group.membership(topics, instanceId, assignment)
      let handled: Promise<unknown> = Promise.resolve()
      try {
        while (!signal.aborted) {
          const epoch = new EpochRun(cluster, group, membership, handler)
          await epoch.run(handled, signal)
          handled = epoch.handled
        }
        await handled
      } finally {
        if (instanceId === null || leaveOnStop) membership.leave()
      }
    },
  }
}

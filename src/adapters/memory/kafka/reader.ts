import type {TopicReader} from '../../../core/ports/index.js'
import type {Cluster} from './cluster.js'

export function createMemoryReader(cluster: Cluster): TopicReader {
  return {
    async read({topic, partition, start, end}, onRecords, signal) {
      const log = cluster.log({topic, partition})
      let position = Math.max(start, log.start)
      while (position < Math.min(end, log.end)) {
        signal?.throwIfAborted()
        await cluster.arrival({kind: 'read'})
        signal?.throwIfAborted()
        const {records, nextOffset} = log.read(position, cluster.fetchRecords)
        position = Math.max(nextOffset, position + 1)
        await onRecords(
          records.filter(({offset}) => offset < end),
          Math.min(position, end),
        )
      }
      signal?.throwIfAborted()
    },
    async close() {
      // Nothing is held.
    },
  }
}

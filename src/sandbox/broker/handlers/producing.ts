import {attempt, KafkaError, Refusal} from '../protocol/errors.js'
import {initProducerId, produce, type ProduceRequest} from '../protocol/records.js'
import {WireError} from '../protocol/wire-reader.js'
import {maxMessageBytes} from '../log/topic-config.js'
import {NO_RESPONSE, route, type Route} from './dispatcher.js'
import {warnOfTransactions, type BrokerState} from './state.js'

/** Apache Kafka's default for message.timestamp.after.max.ms. */
const CLOCK_TOLERANCE_MS = 3_600_000
const ACKS = {none: 0, leader: 1, all: -1}

/** Writing records. With one replica of everything, acks 1 and all are the same. */
export function producingRoutes({topics, identity, logger}: BrokerState): Route[] {
  const append = (topic: string, partition: number, records: Buffer, request: ProduceRequest) => {
    checkRequest(request)
    const {config} = topics.get(topic)
    const log = topics.get(topic).partition(partition)
    const limits = {
      maxMessageBytes: maxMessageBytes(config),
      latestTimestampMs: Date.now() + CLOCK_TOLERANCE_MS,
    }
    const baseOffset = log.append(records, limits)
    return {baseOffset, startOffset: log.startOffset}
  }

  return [
    route(produce, (request) => {
      const answer = request.topics.map(({topic, partitions}) => ({
        topic,
        partitions: partitions.map(({partition, records}) => {
          const {error, message, value} = attempt(() => append(topic, partition, records, request))
          if (error === KafkaError.STORAGE_ERROR)
            logger.error(`cannot append to ${topic}-${partition}: ${message}`)
          return {partition, error, ...(value ?? {baseOffset: -1, startOffset: -1})}
        }),
      }))
      if (request.acks !== ACKS.none) return {topics: answer}
      const refused = answer
        .flatMap(({partitions}) => partitions)
        .find(({error}) => error !== KafkaError.NONE)
      // The only way to tell a producer that does not listen.
      if (refused)
        throw new WireError(`a record batch sent with acks=0 was refused with error ${refused.error}`)
      return NO_RESPONSE
    }),
    route(initProducerId, ({transactionalId}, client) => {
      if (transactionalId === null) {
        return {error: KafkaError.NONE, producerId: identity.takeProducerId(), producerEpoch: 0}
      }
      warnOfTransactions(logger, client)
      return {error: KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, producerId: -1, producerEpoch: -1}
    }),
  ]
}

function checkRequest({acks, transactionalId}: ProduceRequest): void {
  if (transactionalId !== null) throw new Refusal('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  if (!Object.values(ACKS).includes(acks)) throw new Refusal('INVALID_REQUIRED_ACKS')
}

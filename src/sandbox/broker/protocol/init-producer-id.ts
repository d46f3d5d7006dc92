import {NO_THROTTLE_MS, type Api} from './api.js'

/**
 * ```
 * request   transactional_id? transaction_timeout_ms
 * response  throttle_ms error producer_id producer_epoch
 * ```
 */
export const initProducerId: Api<{readonly transactionalId: string | null}, InitProducerIdResponse> = {
  key: 22,
  name: 'InitProducerId',
  versions: [0, 1],
  decode(reader) {
    const transactionalId = reader.nullableString()
    reader.int32()
    return {transactionalId}
  },
  encode(writer, {error, producerId, epoch}) {
    writer.int32(NO_THROTTLE_MS).int16(error).int64(producerId).int16(epoch)
  },
}

export interface InitProducerIdResponse {
  readonly error: number
  readonly producerId: number
  readonly epoch: number
}

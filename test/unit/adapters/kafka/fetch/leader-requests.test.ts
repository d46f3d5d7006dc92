import {describe, expect, it} from 'vitest'
import {limitsFor, shareOf} from '../../../../../src/adapters/kafka/fetch/leader-requests.js'

const MIB = 1024 * 1024

describe('what may be fetched at once', () => {
  it('is held twice: what is handed over, and the next', () => {
    const {answerBytes, partitionBytes} = limitsFor(24 * MIB)
    expect(2 * answerBytes).toBe(24 * MIB)
    expect(partitionBytes).toBeLessThan(answerBytes)
  })

  it('is shared by the leaders, as many as there are at the time', () => {
    let leaders = 1
    const share = shareOf(limitsFor(24 * MIB), () => leaders)
    expect(share.answerBytes).toBe(12 * MIB)
    leaders = 3
    expect(share.answerBytes).toBe(4 * MIB)
  })

  it('is never so little that nothing gets on, unless it was asked for', () => {
    expect(shareOf(limitsFor(24 * MIB), () => 100).answerBytes).toBe(MIB)
    expect(shareOf({maxWaitMs: 1, partitionBytes: 10, answerBytes: 10}, () => 100).answerBytes).toBe(10)
  })
})

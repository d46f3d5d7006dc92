import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {newUploadId, uploadStartMs} from '../../../../src/core/chunk/index.js'

describe('an upload id', () => {
  it('is a UUID of version 7 that tells when the upload began', () => {
    fc.assert(
      fc.property(fc.integer({min: 0, max: 2 ** 48 - 1}), (nowMs) => {
        const id = newUploadId(nowMs)
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect(uploadStartMs(id)).toBe(nowMs)
      }),
    )
  })

  it('is another one each time, also within a millisecond', () => {
    expect(new Set(Array.from({length: 1000}, () => newUploadId(5))).size).toBe(1000)
  })

  it('sorts by time', () => {
    const ids = [1, 1000, 1_700_000_000_000, 1_800_000_000_000].map(newUploadId)
    expect([...ids].sort()).toEqual(ids)
  })

  it.each([
    ['of version 4', '00000000-0000-4000-8000-000000000000'],
    ['of another variant', '018bcfe5-6800-7000-c000-000000000000'],
    ['in capitals', '018BCFE5-6800-7000-8000-000000000000'],
    ['that is none', 'upload'],
    ['with something behind it', '018bcfe5-6800-7000-8000-000000000000\n'],
  ])('%s tells no time', (_, id) => expect(uploadStartMs(id)).toBeNull())
})

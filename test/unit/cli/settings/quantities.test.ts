import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {parseDuration, parseSize, writeDuration, writeSize} from '../../../../src/cli/settings/quantities.js'

describe('sizes', () => {
  it.each([
    ['512KiB', 524_288],
    ['512 kib', 524_288],
    ['1.5MiB', 1_572_864],
    ['64M', 67_108_864],
    ['10kB', 10_000],
    ['0', 0],
    ['1048576', 1_048_576],
    ['7B', 7],
  ])('%s is %d bytes', (written, bytes) => expect(parseSize(written)).toBe(bytes))

  it.each(['', 'KiB', '1.5', '-1', '512KiBs', '1e3', '0x10', '9007199254740993', '1 2', '１KiB'])(
    '%j is no size',
    (written) => expect(parseSize(written)).toBeNull(),
  )

  it('are written back as they would be read', () => {
    expect(writeSize(524_288)).toBe('512KiB')
    fc.assert(
      fc.property(fc.nat({max: Number.MAX_SAFE_INTEGER}), (bytes) => parseSize(writeSize(bytes)) === bytes),
    )
  })
})

describe('durations', () => {
  it.each([
    ['3s', 3_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5s', 1_500],
    ['2d', 172_800_000],
    ['0', 0],
  ])('%s is %d ms', (written, ms) => expect(parseDuration(written)).toBe(ms))

  it.each(['', '30', '3 s', '-3s', '3S', 's', '3sec', '0.0001ms', '1h 30m', 'ms3'])(
    '%j is no duration',
    (written) => expect(parseDuration(written)).toBeNull(),
  )

  it('are written back as they would be read', () => {
    expect(writeDuration(600_000)).toBe('10m')
    fc.assert(fc.property(fc.nat({max: 2 ** 45}), (ms) => parseDuration(writeDuration(ms)) === ms))
  })
})

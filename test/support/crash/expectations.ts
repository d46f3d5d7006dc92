import {expect} from 'vitest'
import type {Evidence} from './crash-run.js'
import {WINDOW_FILES} from './evidence.js'

/** `--concurrency`, unless told otherwise. */
const FILES_BEING_FINISHED = 32

export function expectNothingMissing(evidence: Evidence): void {
  expect(evidence).toMatchObject({missing: 0, delivered: evidence.files})
}

/** Whatever died, and however often: no finished file comes to its end again but those of the uncommitted window. */
export function expectNothingLost(evidence: Evidence): void {
  expectNothingMissing(evidence)
  expect(evidence).toMatchObject({outsideWindow: []})
  expect(evidence.largestWindow).toBeLessThanOrEqual(WINDOW_FILES)
  // Only a file that was between its rename and its entry in the index at a death is put in its place once more.
  expect(evidence.replaced).toBeLessThanOrEqual(evidence.deaths * FILES_BEING_FINISHED)
}

/** Where nobody died, nothing comes to its end twice. */
export function expectNothingRepeated(evidence: Evidence): void {
  expectNothingLost(evidence)
  expect(evidence).toMatchObject({metAgain: 0, deliveredTwice: 0, replaced: 0})
}

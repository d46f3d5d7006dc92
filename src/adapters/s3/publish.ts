/**
 * The step in which a file becomes an object. The store itself keeps two writers apart, by conditions:
 *
 *     write if the key is free -> delivered
 *        └ 412: who has it? HEAD
 *             this generation            unchanged (our own write, when its reply was lost: delivered)
 *             a newer one of the path    superseded
 *             an older one, or foreign   write if it is still that one -> delivered, else look again
 *
 * What an object is, its metadata says (generation-metadata.ts), together with its size and checksum as the store
 * knows them; never its ETag, which only names the state that a write was decided upon.
 *
 * Stores without conditional writes are looked at before: then two processes, of which one was taken for dead, can in
 * that moment put an older generation over a newer.
 */
import {StreamtoolError} from '../../core/errors.js'
import type {Clock, FinishOutcome} from '../../core/ports/index.js'
import {compareGenerations, isOlderThanHeld} from '../../core/reassembly/index.js'
import type {HeldObject} from './bucket-client.js'
import {agree, type Checksums} from './checksum.js'
import {type HeldGeneration, isSameGeneration} from './generation-metadata.js'
import type {Condition} from './requests.js'
import {isRefusal} from './store-errors.js'

/** What becomes of an object that has the key of a file and is another generation, or somebody else's. */
export type IfExists = 'overwrite' | 'skip' | 'version' | 'fail'

/** What a store keeps to: `If-None-Match: *`, and `If-Match`. */
export interface Conditions {
  readonly ifAbsent: boolean
  readonly ifMatch: boolean
}

/** So often others may be in between before the file is read once more. */
const ROUNDS = 8
const PAUSE_MS = 50

/** Of which object it is asked whether it may be written. */
export interface Claim {
  readonly path: string
  readonly key: string
  /** For the same content; null when it cannot be moved there any more. */
  readonly otherKey: string | null
  /** {@link key} is the other one already. */
  readonly isMoved: boolean
  readonly generation: HeldGeneration
  /** Those that are known by now. */
  readonly checksums: Checksums
  readonly ifExists: IfExists
}

export interface Publication extends Claim {
  readonly conditions: Conditions
  /** Null when there is no such object. */
  readonly look: (key: string) => Promise<HeldObject | null>
  /** Nothing was sent since an object was found: look at it before all. */
  readonly looksFirst: boolean
  /** In the metadata of what `write` writes. */
  readonly writeId: string
  /** @throws {ObjectRefused} taken, conflict, no-upload */
  readonly write: (key: string, condition: Condition) => Promise<void>
  readonly clock: Clock
}

export interface Published {
  readonly outcome: FinishOutcome
  readonly key: string
}

export async function publish(publication: Publication): Promise<Published> {
  const {conditions, look, clock, path} = publication
  const looksFirst = publication.looksFirst || !conditions.ifAbsent
  let key = publication.key
  let held = looksFirst ? await look(key) : null
  for (let round = 1; round <= ROUNDS; round += 1) {
    const verdict = held === null ? 'write' : verdictOn(held, {...publication, key})
    if (verdict === 'elsewhere') {
      key = otherKeyOf(publication)
      held = looksFirst ? await look(key) : null
      continue
    }
    if (verdict === 'unchanged') {
      const isOwnWrite = held?.generation?.writeId === publication.writeId
      return {outcome: isOwnWrite ? 'delivered' : 'unchanged', key}
    }
    if (verdict === 'superseded' || verdict === 'kept') return {outcome: verdict, key}
    try {
      await publication.write(key, conditionFor(held, conditions))
      return {outcome: verdict === 'refresh' ? 'unchanged' : 'delivered', key}
    } catch (thrown) {
      if (!isRefusal(thrown, 'taken', 'conflict', 'no-upload', 'absent')) throw thrown
      if (isRefusal(thrown, 'conflict')) await clock.sleep(PAUSE_MS * round)
      held = await look(key)
      const isOver = isRefusal(thrown, 'no-upload')
      if (isOver && (held === null || !isHeld(held, publication))) throw thrown
    }
  }
  throw new StreamtoolError('OBJECT_CONFLICT', `${key} is being written by others again and again.`, {
    facts: {key, path},
  })
}

/**
 * `refresh`: it is there, but does not say how new it is. `elsewhere`: under the other key.
 * @throws FILE_EXISTS
 */
export type Verdict =
  'write' | 'replace' | 'refresh' | 'elsewhere' | Exclude<FinishOutcome, 'delivered' | 'processed'>

export function verdictOn(held: HeldObject, claim: Claim): Verdict {
  const {generation: ours, ifExists, key} = claim
  const theirs = held.generation
  if (theirs !== null && isHeld(held, claim)) {
    // The same again, and newer: the object has to say so, or something in between would pass for newer than it.
    const isNewer = compareGenerations(ours.order, theirs.order) > 0
    return ifExists === 'overwrite' && isNewer ? 'refresh' : 'unchanged'
  }
  // Uploaded once more; with `overwrite` the object has to say that it is newer now.
  if (ifExists !== 'overwrite' && theirs?.path === ours.path && hasSameContent(held, claim))
    return 'unchanged'
  switch (ifExists) {
    case 'skip':
      return 'kept'
    case 'version':
      if (!claim.isMoved && key !== claim.otherKey) return 'elsewhere'
      if (hasSameContent(held, claim)) return 'unchanged'
      throw taken(claim)
    case 'fail':
      throw taken(claim)
    case 'overwrite':
      if (theirs === null || isSameGeneration(theirs, ours)) return 'replace'
      if (theirs.path !== ours.path) throw collision(claim, theirs)
      return isOlderThanHeld(ours.order, theirs.order, theirs.topic === ours.topic) ? 'superseded' : 'replace'
  }
}

function isHeld(held: HeldObject, claim: Claim): boolean {
  return (
    held.generation !== null &&
    isSameGeneration(held.generation, claim.generation) &&
    hasContentOf(held, claim)
  )
}

function hasSameContent(held: HeldObject, claim: Claim): boolean {
  return held.generation?.sha512 === claim.generation.sha512 && hasContentOf(held, claim)
}

/** Metadata alone proves nothing: whoever copies an object over another may copy that too. */
function hasContentOf(held: HeldObject, {generation, checksums}: Claim): boolean {
  return held.sizeBytes === generation.sizeBytes && agree(held.checksums, checksums)
}

function conditionFor(held: HeldObject | null, {ifAbsent, ifMatch}: Conditions): Condition {
  if (held === null) return ifAbsent ? 'absent' : null
  return ifMatch && held.etag !== null ? {etag: held.etag} : null
}

function otherKeyOf({otherKey, key, path}: Claim): string {
  if (otherKey !== null) return otherKey
  throw new StreamtoolError('OBJECT_CONFLICT', `${key} came to be while ${path} was on its way there.`, {
    facts: {key, path},
  })
}

const taken = ({path, key}: Claim) =>
  new StreamtoolError('FILE_EXISTS', `Another object has the key ${key}.`, {
    facts: {path, key},
    suggestions: ['Remove it, or choose what becomes of such objects with --if-exists.'],
  })

const collision = ({path, key}: Claim, theirs: HeldGeneration) =>
  new StreamtoolError('FILE_EXISTS', `${key} holds another file: ${theirs.path}.`, {
    facts: {path, key},
    suggestions: ['Use a --key that tells the files apart: {path}, or {sha512}.'],
  })

/**
 * Trouble with the storage that can pass is waited out (core/flow/outage.ts): a full disk or quota, a directory that
 * vanished with its mount, a file system that became read-only or does not answer well.
 *
 * What fails for one file alone does not pass by waiting. So a failure counts as trouble only when the disk is full,
 * or when the storage as a whole, examined, turns out not to be in order.
 */
import {type ErrorCode, StreamtoolError} from '../../core/errors.js'
import {waitOut, type WhenItAllows} from '../../core/flow/index.js'
import type {Clock, Logger} from '../../core/ports/index.js'
import {coalesce} from './coalesced-sync.js'

const STORAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'STORAGE_FULL',
  'STORAGE_FORBIDDEN',
  'STORAGE_FAILED',
  'STORAGE_GONE',
  // A part of the path is a file: perhaps where the storage was.
  'FILE_NAME_CONFLICT',
])

export type WhenStorageAllows = WhenItAllows

export interface StorageWatch {
  /** As the user knows it. */
  readonly directory: string
  /** Resolves when the storage is in order. @throws StreamtoolError: what is the matter */
  readonly examine: () => Promise<void>
  readonly clock: Clock
  readonly logger: Logger
  /** Is told what is the matter, and null when that is over. */
  readonly onOutage?: (reason: string | null) => void
}

export function waitOutOutages({
  directory,
  examine,
  clock,
  logger,
  onOutage = () => undefined,
}: StorageWatch): WhenStorageAllows {
  const examineOnce = coalesce(examine)
  return waitOut({
    isSuspect: isStorageError,
    async troubleOf(suspect) {
      if (suspect.code === 'STORAGE_FULL') return suspect
      try {
        await examineOnce()
        return null
      } catch (found) {
        return found instanceof StreamtoolError ? found : suspect
      }
    },
    onBegin: (trouble) => {
      onOutage(trouble.message)
      logger.warn(`${trouble.message} Waiting until that is over; nothing is lost meanwhile.`, {
        code: trouble.code,
        directory,
      })
    },
    onOver: () => {
      onOutage(null)
      logger.info(`${directory} can be written to again: going on.`, {directory})
    },
    clock,
  })
}

function isStorageError(thrown: unknown): thrown is StreamtoolError {
  return thrown instanceof StreamtoolError && STORAGE_CODES.has(thrown.code)
}

/**
 * The instance id of a group member: static membership lets a process that comes back under its id take its
 * partitions over at once, so each must come back under its own, and no two may have the same.
 */
import {createHash} from 'node:crypto'
import path from 'node:path'
import {StreamtoolError} from '../../core/errors.js'
import {type ProcessLock, tryLock} from '../system/process-lock.js'

const INSTANCE_ID = /^[A-Za-z0-9._-]{1,249}$/
/** Leaves room for `-` and the number of the slot. */
const MAX_HOST_CHARACTERS = 200

export interface InstanceIdOptions {
  /** From `--instance-id`; otherwise the host name and the lowest number that no live process of this host has. */
  readonly explicit?: string
  readonly groupId: string
  /** Belongs to this host and user. */
  readonly stateDir: string
  readonly hostName: string
}

export interface HeldInstanceId {
  readonly instanceId: string
  /** Frees it for the next process. A process that dies without this frees it too. */
  release(): Promise<void>
}

/**
 * @throws INSTANCE_IN_USE when a live process of this host has the explicit id in this group; SETTING_INVALID when
 *   Kafka would not take it; STORAGE_FORBIDDEN, STORAGE_FULL, STORAGE_FAILED
 */
export async function acquireInstanceId(options: InstanceIdOptions): Promise<HeldInstanceId> {
  const {explicit, groupId, stateDir, hostName} = options
  const locks = path.join(stateDir, 'instances', shortHash(groupId))
  if (explicit !== undefined) return acquireExplicit(locks, explicit, groupId)

  const host = hostName.slice(0, MAX_HOST_CHARACTERS).replaceAll(/[^A-Za-z0-9._-]/g, '-') || 'host'
  for (let slot = 0; ; slot += 1) {
    const instanceId = `${host}-${slot}`
    const lock = await tryLock(locks, shortHash(instanceId))
    if (lock) return held(instanceId, lock)
  }
}

async function acquireExplicit(locks: string, instanceId: string, groupId: string): Promise<HeldInstanceId> {
  if (!INSTANCE_ID.test(instanceId)) {
    throw new StreamtoolError('SETTING_INVALID', `"${instanceId}" cannot be an instance id.`, {
      suggestions: ['Use 1 to 249 letters, digits, dots, underscores and hyphens for --instance-id.'],
    })
  }
  const lock = await tryLock(locks, shortHash(instanceId))
  if (lock) return held(instanceId, lock)
  throw new StreamtoolError(
    'INSTANCE_IN_USE',
    `Another running process of this host is instance ${instanceId} of group ${groupId}.`,
    {
      facts: {instanceId, groupId},
      suggestions: ['Give each process its own --instance-id, or leave it out.', 'Stop the other process.'],
    },
  )
}

function held(instanceId: string, lock: ProcessLock): HeldInstanceId {
  return {instanceId, release: () => lock.release()}
}

/** Ids can be longer than a file name, differ in case alone, and hold (groups) what a file name may not. */
function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

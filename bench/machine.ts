import {createHash} from 'node:crypto'
import {statfs} from 'node:fs/promises'
import {availableParallelism, cpus, release, totalmem, type} from 'node:os'

const GIB = 1024 ** 3
const HASHED_BLOCK = Buffer.alloc(512 * 1024)
const HASHED_BLOCKS = 1000

export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly memoryGiB: number
  readonly system: string
  /** Where all files and the broker's log are. */
  readonly fileSystem: string
  /** Of one core; an upload computes it twice for every byte. */
  readonly sha512MiBPerSecond: number
}

const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlayfs',
}

export async function describeMachine(directory: string): Promise<Machine> {
  const kind = (await statfs(directory)).type
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / GIB),
    system: `${type()} ${release()}`,
    fileSystem: FILE_SYSTEMS[kind] ?? `0x${kind.toString(16)}`,
    sha512MiBPerSecond: Math.round(hashRate()),
  }
}

function hashRate(): number {
  const started = performance.now()
  const hash = createHash('sha512')
  for (let i = 0; i < HASHED_BLOCKS; i++) hash.update(HASHED_BLOCK)
  hash.digest()
  return (HASHED_BLOCKS * HASHED_BLOCK.length) / 1024 / 1024 / ((performance.now() - started) / 1000)
}

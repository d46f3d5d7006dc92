/** The inventory as a report has it: every file told of, and all of them counted. */
import type {GroupFileState, InspectedFile, InspectReport} from '../../core/inspect-report.js'
import {describeFile} from './describe-file.js'
import type {StandingGroup} from './group-standing.js'
import type {Inventory} from './inventory.js'

/** One JSON object of many more would be longer than a string can be. */
export const INVENTORY_LIMIT = 200_000

export type InventorySummary = Pick<
  InspectReport,
  'duplicates' | 'files' | 'producers' | 'group' | 'inventory' | 'inventoryOmitted'
>

export function sumUp(
  inventory: Inventory,
  standing: StandingGroup | null,
  tell: (file: InspectedFile) => void,
): InventorySummary {
  const files = {complete: 0, incomplete: 0, corrupt: 0, superseded: 0, unverified: 0, spread: 0}
  const producers = {streamtool: 0, openmsistream: 0, 'openmsistream-9': 0}
  const inGroup: Record<GroupFileState, number> = {done: 0, next: 0, open: 0, superseded: 0, partial: 0}
  const kept: InspectedFile[] = []
  let duplicates = 0
  for (const generation of inventory.generations()) {
    const file = describeFile(generation, inventory)
    tell(file)
    files[file.state] += 1
    if (file.state === 'complete' && file.verification === 'unverified') files.unverified += 1
    if (file.partitions.length > 1) files.spread += 1
    producers[file.producer] += 1
    if (file.group !== undefined) inGroup[file.group] += 1
    duplicates += file.duplicates
    if (kept.length < INVENTORY_LIMIT) kept.push(file)
  }
  return {
    duplicates,
    files,
    producers,
    group: standing && {
      group: standing.group,
      members: standing.members,
      partitions: standing.partitions,
      files: inGroup,
    },
    inventory: kept,
    inventoryOmitted: inventory.generationCount - kept.length,
  }
}

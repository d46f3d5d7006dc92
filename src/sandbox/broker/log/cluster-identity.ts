import {randomBytes} from 'node:crypto'
import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {readJsonFile, writeJsonFile} from './json-file.js'

const RESERVED_IDS = 1000

interface ClusterFacts {
  readonly clusterId: string
  /** None from here on was ever given out. */
  readonly nextProducerId: number
}

/** What names this cluster for as long as its directory lives: its id, and producer ids that never come twice. */
export class ClusterIdentity {
  readonly clusterId: string
  readonly #path: string
  #nextProducerId: number
  #reservedUpTo: number

  constructor(directory: string) {
    mkdirSync(directory, {recursive: true})
    this.#path = join(directory, 'cluster.json')
    const known = readJsonFile(this.#path, isClusterFacts)
    this.clusterId = known?.clusterId ?? randomBytes(16).toString('base64url')
    this.#nextProducerId = known?.nextProducerId ?? 0
    this.#reservedUpTo = this.#nextProducerId
    if (known === null) this.#save()
  }

  /** Ids are reserved a thousand at a time; a restart skips what is left of them. */
  takeProducerId(): number {
    if (this.#nextProducerId === this.#reservedUpTo) {
      this.#reservedUpTo += RESERVED_IDS
      this.#save()
    }
    return this.#nextProducerId++
  }

  #save(): void {
    const facts: ClusterFacts = {clusterId: this.clusterId, nextProducerId: this.#reservedUpTo}
    writeJsonFile(this.#path, facts)
  }
}

function isClusterFacts(content: unknown): content is ClusterFacts {
  const facts = content as Partial<ClusterFacts> | null
  return typeof facts?.clusterId === 'string' && Number.isSafeInteger(facts.nextProducerId)
}

/** What a file would be as an object: under which key, instead of which others, with which fields. */
import type {IncomingFile} from '../../core/ports/index.js'
import type {HeldObject} from './bucket-client.js'
import type {Checksums} from './checksum.js'
import {heldAs, metadataOf} from './generation-metadata.js'
import {versionedKey} from './key-template.js'
import type {UploadPlan} from './multipart-upload.js'
import {objectFields} from './object-settings.js'
import {type Claim, verdictOn} from './publish.js'
import type {ObjectFields} from './requests.js'
import type {WriterSite} from './writer-site.js'

/** What is known of the content when an object is begun. */
export interface KnownContent {
  readonly sizeBytes: number | null
  readonly sha256: string | null
}

export class ObjectClaim {
  /** Under which it is published, unless that has to change. */
  private key: string
  /** For the same content. */
  readonly otherKey: string | null

  constructor(
    private readonly file: IncomingFile,
    readonly firstKey: string,
    private readonly writeId: string,
    private readonly site: WriterSite,
  ) {
    this.key = firstKey
    this.otherKey = versionedKey(firstKey, file)
  }

  /**
   * Worth a look before gigabytes are sent: it may have been completed just before a crash; and an upload is bound to
   * its key when it is begun.
   * @returns whether what there is will stay, so that nothing need be sent
   * @throws FILE_EXISTS
   */
  async isMetBy(look: (key: string) => Promise<HeldObject | null>): Promise<boolean> {
    for (;;) {
      const held = await look(this.key)
      if (held === null) return false
      const said = this.file.crc32
      const known = said === null ? {} : {CRC32: said.toString('base64')}
      const verdict = verdictOn(held, this.of(this.file.sizeBytes ?? held.sizeBytes, known))
      if (verdict !== 'elsewhere') return ['unchanged', 'superseded', 'kept'].includes(verdict)
      this.key = this.otherKey ?? this.key
    }
  }

  /** @param checksums those that are known by now */
  of(sizeBytes: number, checksums: Checksums): Claim {
    const {file, site, key, firstKey, otherKey} = this
    return {
      path: file.path,
      key,
      otherKey,
      isMoved: key !== firstKey,
      generation: heldAs(file, sizeBytes),
      checksums,
      ifExists: site.ifExists,
    }
  }

  plan(partBytes: number): UploadPlan {
    const {file, site, key, writeId} = this
    const {topic, path, uploadId, sha512} = heldAs(file, 0)
    const generation = JSON.stringify([topic, path, uploadId, sha512, site.fingerprint])
    const fields = this.fields({sizeBytes: file.sizeBytes, sha256: null})
    return {key, partBytes, generation, writeId, fields}
  }

  fields(content: KnownContent): ObjectFields {
    const {file, site, writeId} = this
    return {
      ...objectFields(site.object, file, site.clock.nowMs()),
      Metadata: {...metadataOf(file, {...content, writeId}, site.object.metadata)},
    }
  }
}

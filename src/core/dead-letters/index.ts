/**
 * What goes to a dead-letter topic, so that nothing that was given up is out of sight.
 *
 * Every letter has headers, UTF-8 text; of one that comes twice the last counts (a copied record has its own too):
 *
 *     streamtool-dead-letter             1, the version of these headers
 *     streamtool-dead-letter-kind        file | record | reference
 *     streamtool-dead-letter-code        why, as a code; -reason: in words
 *     streamtool-dead-letter-group       the consumer group that gave it up
 *     streamtool-dead-letter-topic, -partition, -offset     where the record is (not for a file)
 *
 * `record`: key, value and headers of a record that is no chunk, as they were. `reference`: the same without them,
 * when the record is too large to be sent again. `file`: a file that was parked, as JSON:
 *
 *     {"schema": 1, "topic": …, "path": …, "sha512": hex, "uploadId": … | null, "chunkCount": n,
 *      "missingChunks": "3-5,9", "records": {"<partition>": "<offsets>"}}
 *
 * A file with more runs of offsets than one record should hold has several letters, each with some of them.
 *
 * Letters refer to records, they do not hold files: what retention removes from the topic is gone. Anybody may write
 * to the topic, so decoding checks everything and never throws.
 */
export {decodeLetter} from './decode.js'
export {decodeFailedRecord, type FailedRecord} from './failed-records.js'
export {fileLetters, missingText, recordLetter, referenceLetter} from './encode.js'
export {type DeadLetter, type ParkedFile, type RecordOrigin, type RefusedRecord} from './letter.js'

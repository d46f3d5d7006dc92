/**
 * What transforms the records of a relay, as a `RecordTransform` (core/relay/transform.ts): a plugin in this process, or a
 * program beside it.
 *
 *     plugin-transform    transform(record, context), with the same life as a processor of files (running/)
 *     program-transform   so many processes, of each of which running-program asks one record at a time, by lines of
 *                         JSON (line-protocol)
 *
 * Whatever they do wrong fails the attempt, and loses nothing; where records may have got each other's answers, or an
 * error belongs to no record, the run ends.
 */
export {pluginTransform} from './plugin-transform.js'
export {programTransform} from './program-transform.js'

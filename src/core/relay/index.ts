/** Records from one topic to another, one by one: what is decided about each, without doing it. */
export {partitionForKey, partitionForText, type KeyExpression, type Partitioning} from './partitioning.js'

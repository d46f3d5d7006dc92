/** What `retry` has for itself. */
import {path, text} from '../setting.js'

export const retrySettings = {
  from: text({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'The dead-letter topic',
    required: true,
    example: 'instrument-files-dead',
  }),
  topic: text({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'Only what was given up on this topic',
    common: true,
  }),
  to: text({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'Where records of a stream processor go, instead of the topic they came from',
  }),
  group: text({
    group: 'CONSUMER GROUP',
    placeholder: 'ID',
    summary: 'Keeps what is done on the dead-letter topic (else one that belongs to the output directory)',
  }),
}

/** Without it records go back to their topic. */
export const retryOutput = path({
  group: 'FILES',
  placeholder: 'DIR',
  summary: 'Directory to write files to that were given up (else records are sent back to their topic)',
})

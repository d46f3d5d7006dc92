/** Which files, and what becomes of them where they arrive. */
import {choice, duration, integer, list, path, size, text} from '../setting.js'

/** Which files. */
export const patternSettings = {
  include: list({
    group: 'FILES',
    placeholder: 'GLOB',
    summary: 'Only files whose path matches, or whose name when the pattern has no slash',
  }),
  exclude: list({group: 'FILES', placeholder: 'GLOB', summary: 'No files whose path or name matches'}),
}

export const generationSettings = {
  generations: choice(['newest', 'all'], {
    group: 'FILES',
    summary: 'Deliver only the newest content of each path, or every one, in order',
    default: 'newest',
  }),
}

export const reassemblySettings = {
  incompleteAfter: duration({
    group: 'FILES',
    summary: 'Age at which a file with chunks missing counts as incomplete rather than open',
    default: '10m',
    common: true,
  }),
  memory: size({
    group: 'FILES',
    summary: 'Bound of all buffers together; beyond it chunks wait on disk',
    default: '96MiB',
    common: true,
  }),
  concurrency: integer({
    group: 'FILES',
    summary: 'Finished files that are made durable side by side',
    default: '32',
    min: 1,
  }),
}

export const deadLetterSettings = {
  deadLetterTopic: text({
    group: 'GIVING UP',
    placeholder: 'TOPIC',
    summary: 'Records that are no chunks, and files that are given up, go to this topic',
  }),
  parkAfter: duration({
    group: 'GIVING UP',
    summary: 'Give up a file whose chunks have been missing for so long; needs --dead-letter-topic',
  }),
  onFailure: choice(['hold', 'dead-letter', 'stop'], {
    group: 'GIVING UP',
    summary: 'A file that cannot be delivered is tried again at the next start, or given up, or ends the run',
    default: 'hold',
  }),
  retryHeld: duration({
    group: 'GIVING UP',
    summary: 'Try a file that could not be delivered again after so long, not only at the next start',
  }),
}

export const directorySettings = {
  output: path({
    group: 'FILES',
    placeholder: 'DIR',
    summary: 'Directory to write the files to; made when missing',
    required: true,
    example: './received',
  }),
  onConflict: choice(['overwrite', 'keep', 'rename', 'fail'], {
    group: 'FILES',
    summary:
      'A file that is there and that streamtool did not write, or that was changed since: replace it, keep it instead of the delivered one, deliver beside it as `name (2)`, or hold the delivered one',
    default: 'overwrite',
  }),
}

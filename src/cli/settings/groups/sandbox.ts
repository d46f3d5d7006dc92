/** What `sandbox` has for itself. */
import {integer, path, text} from '../setting.js'

export const sandboxSettings = {
  dir: path({
    group: 'SANDBOX',
    placeholder: 'DIR',
    summary: 'Keep the data here (else in a temporary directory that is removed at the end)',
  }),
  kafkaPort: integer({
    group: 'SANDBOX',
    placeholder: 'PORT',
    max: 65_535,
    summary: 'Port of the broker, 0 for any free one (default: 9092; with a command after --, any free one)',
  }),
  s3Port: integer({
    group: 'SANDBOX',
    placeholder: 'PORT',
    max: 65_535,
    summary:
      'Port of the bucket store, 0 for any free one (default: 9000; with a command after --, or with --kafka-port 0, any free one)',
  }),
  bucket: text({
    group: 'SANDBOX',
    placeholder: 'BUCKET',
    summary: 'Bucket that is there from the beginning',
    default: 'sandbox',
  }),
}

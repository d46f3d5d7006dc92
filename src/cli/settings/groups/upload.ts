/** What `upload` has for itself. */
import {choice, pairs, size, text} from '../setting.js'

export const sendingSettings = {
  chunkSize: size({group: 'FILES', summary: 'Bytes of a file in one record', default: '512KiB'}),
  pathPrefix: text({
    group: 'FILES',
    placeholder: 'PREFIX',
    summary: 'Put this directory before every path on the topic',
  }),
  name: text({
    group: 'FILES',
    placeholder: 'NAME',
    summary: 'Path on the topic for standard input (-)',
  }),
  metadata: pairs({group: 'FILES', summary: 'Travels with every file as a record header'}),
  wireFormat: choice(['openmsistream', 'openmsistream-9'], {
    group: 'FILES',
    summary: 'Chunk layout; openmsistream-9 for consumers from before April 2026',
    default: 'openmsistream',
  }),
  memory: size({
    group: 'FILES',
    summary: 'Bytes that are read and not yet acknowledged',
    default: '16MiB',
    common: true,
  }),
}

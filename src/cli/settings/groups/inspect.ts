/** What `inspect` has for itself. */
import {text, toggle} from '../setting.js'

export const inspectingSettings = {
  verify: toggle({
    group: 'INSPECTING',
    summary: 'Read files again whose chunks are not in order, so that the content of each is checked',
    default: 'false',
  }),
  check: toggle({
    group: 'INSPECTING',
    summary: 'Exit with 5 when a file is corrupt, with 4 when one is incomplete',
    default: 'false',
  }),
  group: text({
    group: 'INSPECTING',
    placeholder: 'ID',
    summary: 'Also tell where this consumer group stands; it is not joined',
  }),
}

/** As whom a topic is read. */
import {choice, duration, path, text, toggle} from '../setting.js'

export const groupSettings = {
  group: text({
    group: 'CONSUMER GROUP',
    placeholder: 'ID',
    summary: 'Consumer group (else one that belongs to the destination and is kept with it)',
  }),
  instanceId: text({
    group: 'CONSUMER GROUP',
    placeholder: 'ID',
    summary:
      'Stable name of this member; its partitions wait for it through a restart (else from the host name)',
  }),
  assignment: choice(['spread', 'together'], {
    group: 'CONSUMER GROUP',
    summary:
      "Share the partitions out, or keep them together with one member while the others stand by: for topics that have a file's chunks in several partitions",
    default: 'spread',
    common: true,
  }),
  sessionTimeout: duration({
    group: 'CONSUMER GROUP',
    summary: 'How long the group waits for a silent member',
    default: '45s',
    common: true,
  }),
  fromBeginning: toggle({
    group: 'CONSUMER GROUP',
    summary: 'Set the group back to the start of the topic first; refused while it has members',
    default: 'false',
  }),
  stateDir: path({
    group: 'CONSUMER GROUP',
    placeholder: 'DIR',
    summary: 'Where this host keeps which instance ids are in use',
    common: true,
  }),
}

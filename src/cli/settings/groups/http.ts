/** Where a process can be watched: probes, metrics. */
import {integer, text} from '../setting.js'

export const httpSettings = {
  metricsPort: integer({
    group: 'WATCHING',
    placeholder: 'PORT',
    max: 65_535,
    summary: 'Serve probes and metrics over HTTP on this port, 0 for any free one',
    common: true,
  }),
  metricsAddress: text({
    group: 'WATCHING',
    placeholder: 'ADDRESS',
    summary: 'Address to serve them on; 0.0.0.0 for all, as in a container',
    default: '127.0.0.1',
    common: true,
  }),
}

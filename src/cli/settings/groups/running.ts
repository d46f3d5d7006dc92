/** How long a command runs, and how it stops. */
import {duration, toggle} from '../setting.js'

export const onceSettings = {
  once: toggle({
    group: 'RUNNING',
    summary: 'Stop at the end that the topic had at the start',
    default: 'false',
    common: true,
  }),
}

/** Commands that run for long and must stop well. */
export const stoppingSettings = {
  shutdownTimeout: duration({
    group: 'RUNNING',
    summary: 'How long a stop may take, after SIGTERM or SIGINT, until it is forced',
    default: '30s',
    common: true,
  }),
}

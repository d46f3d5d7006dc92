/** `context.log` */
import type {Logger} from '../../core/ports/index.js'
import type {ProcessorLog} from '../contract.js'
import {asOurselves} from './plugin-work.js'

/** Plugins are not type-checked where they run: whatever they log is made a text. */
export function pluginLog(logger: Logger, always: Readonly<Record<string, unknown>>): ProcessorLog {
  const at = (level: keyof ProcessorLog) => (message: unknown, facts?: unknown) => {
    const more = typeof facts === 'object' && facts !== null ? facts : facts === undefined ? {} : {facts}
    asOurselves(() => logger[level](String(message), {...more, ...always}))
  }
  return {debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error')}
}

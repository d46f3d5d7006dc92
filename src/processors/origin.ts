/** Which file a processor was loaded from: errors that come without any other trace are known by it. */
import type {Processor} from './contract.js'

const origins = new WeakMap<Processor, string>()

export const noteOrigin = (processor: Processor, path: string) => void origins.set(processor, path)

/** Absolute, or null when it was made by other means. */
export const originOf = (processor: Processor): string | null => origins.get(processor) ?? null

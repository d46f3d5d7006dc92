/** The last line of defence: known secrets are in no log line, error or reason, whatever put them there. */
import {MASK, Secret} from '../settings/setting.js'

export type Redact = (text: string) => string

/** Shorter ones would turn ordinary words into stars. */
const SHORTEST_SECRET = 4

/** @returns a function that puts `***` in place of the secrets among the values */
export function redacting(values: Iterable<unknown>): Redact {
  const secrets = [...values]
    .filter((value) => value instanceof Secret)
    .map((secret) => secret.reveal())
    .filter((text) => text.length >= SHORTEST_SECRET)
    // Longest first, so that one secret within another leaves nothing of the longer behind.
    .sort((a, b) => b.length - a.length)
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), text)
}

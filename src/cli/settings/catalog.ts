/** Which command has which settings. Configuration files are checked against this, documentation is made from it. */
import {
  directorySettings,
  groupSettings,
  kafkaSettings,
  onceSettings,
  outputSettings,
  reassemblySettings,
  sandboxSettings,
  securitySettings,
  sendingSettings,
  stoppingSettings,
  topicSettings,
} from './groups.js'
import type {Setting, Settings} from './setting.js'

// The order is that of --help.

/** What each command that talks to Kafka has. */
export const kafkaCommandSettings = {
  ...topicSettings,
  ...kafkaSettings,
  ...securitySettings,
  ...stoppingSettings,
  ...outputSettings,
}

/** What each command that puts files together again has, wherever it delivers them to. */
export const fileConsumingSettings = {
  ...topicSettings,
  ...kafkaSettings,
  ...onceSettings,
  ...reassemblySettings,
  ...groupSettings,
  ...securitySettings,
  ...stoppingSettings,
  ...outputSettings,
}

export const uploadSettings = {...topicSettings, ...sendingSettings, ...kafkaCommandSettings}
export const reconstructSettings = {...topicSettings, ...directorySettings, ...fileConsumingSettings}
export const sandboxCommandSettings = {...sandboxSettings, ...stoppingSettings, ...outputSettings}

/** By command id, which is also the name of its section in a configuration file. */
export const CATALOG: Readonly<Record<string, Settings>> = {
  upload: uploadSettings,
  reconstruct: reconstructSettings,
  sandbox: sandboxCommandSettings,
}

/** What may stand at the top of a configuration file. */
export function commonSettings(catalog: Readonly<Record<string, Settings>> = CATALOG): Settings {
  const common: Record<string, Setting> = {}
  for (const settings of Object.values(catalog))
    for (const [name, setting] of Object.entries(settings))
      if (setting.common === true) common[name] ??= setting
  return common
}

/** Which command has which settings. Configuration files are checked against this, documentation is made from it. */
import {groupSettings} from './groups/consumer-group.js'
import {
  deadLetterSettings,
  directorySettings,
  generationSettings,
  patternSettings,
  reassemblySettings,
} from './groups/files.js'
import {httpSettings} from './groups/http.js'
import {inspectingSettings} from './groups/inspect.js'
import {kafkaSettings, securitySettings, topicSettings} from './groups/kafka.js'
import {outputSettings} from './groups/output.js'
import {passthroughSettings} from './groups/passthrough.js'
import {processingSettings, processorSettings} from './groups/process.js'
import {retryOutput, retrySettings} from './groups/retry.js'
import {onceSettings, stoppingSettings} from './groups/running.js'
import {
  bucketCareSettings,
  bucketSettings,
  objectSettings,
  storeSettings,
  transferSettings,
} from './groups/s3.js'
import {sandboxSettings} from './groups/sandbox.js'
import {sendingSettings} from './groups/upload.js'
import type {Setting, Settings} from './setting.js'

// The order is that of --help.

/** What each command that talks to Kafka has. */
export const kafkaCommandSettings = {
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
  ...patternSettings,
  ...generationSettings,
  ...reassemblySettings,
  ...deadLetterSettings,
  ...groupSettings,
  ...securitySettings,
  ...stoppingSettings,
  ...httpSettings,
  ...outputSettings,
}

export const uploadSettings = {
  ...topicSettings,
  ...sendingSettings,
  ...patternSettings,
  ...kafkaSettings,
  ...securitySettings,
  ...stoppingSettings,
  ...httpSettings,
  ...outputSettings,
}
export const reconstructSettings = {...topicSettings, ...directorySettings, ...fileConsumingSettings}
export const s3TransferSettings = {
  ...topicSettings,
  ...bucketSettings,
  ...storeSettings,
  ...objectSettings,
  ...transferSettings,
  ...bucketCareSettings,
  ...fileConsumingSettings,
}
export const processSettings = {
  ...processorSettings,
  ...fileConsumingSettings,
  ...processingSettings,
}
const {memory, concurrency} = reassemblySettings
export const retryCommandSettings = {
  ...directorySettings,
  output: retryOutput,
  ...kafkaSettings,
  ...retrySettings,
  memory,
  concurrency,
  ...securitySettings,
  ...stoppingSettings,
  ...outputSettings,
}
export const inspectSettings = {
  ...topicSettings,
  ...kafkaSettings,
  ...inspectingSettings,
  ...patternSettings,
  ...securitySettings,
  ...stoppingSettings,
  ...outputSettings,
}
export const sandboxCommandSettings = {...sandboxSettings, ...stoppingSettings, ...outputSettings}

/** By command id, which is also the name of its section in a configuration file. */
export const CATALOG: Readonly<Record<string, Settings>> = {
  upload: uploadSettings,
  reconstruct: reconstructSettings,
  's3-transfer': s3TransferSettings,
  process: processSettings,
  inspect: inspectSettings,
  retry: retryCommandSettings,
  passthrough: passthroughSettings,
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

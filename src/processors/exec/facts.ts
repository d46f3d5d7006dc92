/**
 * What a program is told of its file: each fact has a placeholder for the command line and a variable in the
 * environment. The variables have a prefix of their own, so that a streamtool that the program starts does not take
 * them for settings.
 */
import type {FileInfo} from '../contract.js'

const VARIABLE_PREFIX = 'STREAMTOOL_FILE_'
const METADATA_PREFIX = `${VARIABLE_PREFIX}META_`

/** Placeholder: variable, without its prefix. */
const FACTS = {
  path: 'PATH',
  name: 'NAME',
  subdir: 'SUBDIR',
  relative_path: 'RELATIVE_PATH',
  topic: 'TOPIC',
  size: 'SIZE',
  sha512: 'SHA512',
  mtime: 'MTIME',
  chunks: 'CHUNKS',
  attempt: 'ATTEMPT',
  output: 'OUTPUT_DIR',
  idempotency_key: 'IDEMPOTENCY_KEY',
} as const
export type Placeholder = keyof typeof FACTS
export const PLACEHOLDERS = Object.keys(FACTS) as Placeholder[]
export const isPlaceholder = (name: string): name is Placeholder => Object.hasOwn(FACTS, name)

/** By placeholder. */
export type Facts = Readonly<Record<Placeholder, string>>

/** @param localPath of the content, absolute; empty when it is in memory only */
export function factsOf(file: FileInfo, localPath: string, outputDir: string): Facts {
  return {
    path: localPath,
    name: file.name,
    subdir: file.subdir,
    relative_path: file.path,
    topic: file.topic,
    size: String(file.size),
    sha512: file.sha512,
    mtime: file.mtime?.toISOString() ?? '',
    chunks: String(file.chunks),
    attempt: String(file.attempt),
    output: outputDir,
    idempotency_key: file.idempotencyKey,
  }
}

/**
 * Ours without any setting or secret of streamtool.
 * @param alsoWithout the beginnings of further variables that are settings to the command, in capitals
 */
export function inheritedEnvironment(
  environment: NodeJS.ProcessEnv,
  alsoWithout: readonly string[] = [],
): NodeJS.ProcessEnv {
  const settings = ['STREAMTOOL_', ...alsoWithout]
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !settings.some((beginning) => name.toUpperCase().startsWith(beginning)),
    ),
  )
}

export function variablesOf(facts: Facts, metadata: FileInfo['metadata']): NodeJS.ProcessEnv {
  const variables: NodeJS.ProcessEnv = {}
  for (const [key, value] of Object.entries(metadata)) {
    // Anybody may have written it, and a variable cannot hold NUL.
    variables[METADATA_PREFIX + key.toUpperCase().replace(/[^A-Z0-9]/g, '_')] ??= value.replaceAll('\0', '')
  }
  for (const placeholder of PLACEHOLDERS) {
    if (placeholder === 'path' && facts.path === '') continue
    variables[VARIABLE_PREFIX + FACTS[placeholder]] = facts[placeholder]
  }
  return variables
}

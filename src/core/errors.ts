/**
 * One family of errors. The code is API: it is stable, documented in docs/errors.md (generated from this
 * table), and the same with and without `--json`. A message says what happened and to what; `suggestions` say
 * what to do next. No message, fact or cause may hold a secret.
 */

/** What the process exits with, and when several apply, which of them wins (first of {@link EXIT_PRECEDENCE}). */
export const ExitCode = {
  done: 0,
  bug: 1,
  usage: 2,
  unreachable: 3,
  filesUnfinished: 4,
  dataMismatch: 5,
  localStorage: 6,
  plugin: 7,
  interrupted: 130,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export const EXIT_PRECEDENCE: readonly ExitCode[] = [1, 2, 7, 3, 6, 5, 4, 130, 0]

interface ErrorKind {
  readonly exitCode: ExitCode
  /** One sentence for docs/errors.md. */
  readonly meaning: string
  /** True when the same operation may succeed later without anybody changing anything. */
  readonly retriable?: true
  /** True when no other file will fare better: thrown for one file, it ends the run, with that file's offsets open. */
  readonly endsRun?: true
}

export const ERROR_KINDS = {
  BUG: {exitCode: 1, meaning: 'Something streamtool did not foresee; please report it.'},

  USAGE: {exitCode: 2, meaning: 'A flag or argument is wrong.'},
  SETTING_MISSING: {
    exitCode: 2,
    endsRun: true,
    meaning: 'A setting without which the command cannot run was found nowhere.',
  },
  SETTING_INVALID: {exitCode: 2, meaning: 'A setting has a value that cannot be used.'},
  CONFIG_UNREADABLE: {exitCode: 2, meaning: 'A configuration file cannot be read or parsed.'},
  CONFIG_UNKNOWN_KEY: {
    exitCode: 2,
    meaning: 'A configuration file has a key that no setting is named after.',
  },
  CLIENT_OPTION_UNSUPPORTED: {exitCode: 2, meaning: 'A -X option has no equivalent in streamtool.'},
  INPUT_COLLISION: {exitCode: 2, meaning: 'Two inputs of one upload map to the same path on the topic.'},
  INPUT_MISSING: {exitCode: 2, meaning: 'An input path named on the command line does not exist.'},
  PATH_UNSENDABLE: {
    exitCode: 2,
    meaning: 'A file name cannot be put on the wire (not UTF-8, or a refused name).',
  },
  CHUNK_TOO_LARGE_FOR_TOPIC: {
    exitCode: 2,
    meaning: 'The chunk size does not fit the max.message.bytes of the topic.',
  },
  INSTANCE_IN_USE: {exitCode: 2, meaning: 'Another running process has the same instance id in this group.'},
  GROUP_BUSY: {exitCode: 2, meaning: 'The operation is refused while the consumer group has members.'},
  SANDBOX_DIR_IN_USE: {exitCode: 2, meaning: 'Another sandbox is running in the same directory.'},
  PORT_UNUSABLE: {
    exitCode: 2,
    meaning: 'A port cannot be listened on: another program has it, or it is not allowed.',
  },

  BROKER_UNREACHABLE: {
    exitCode: 3,
    retriable: true,
    meaning: 'No broker could be reached, or the connection was lost for longer than is tolerated.',
  },
  TOPIC_UNKNOWN: {exitCode: 3, meaning: 'The topic does not exist.'},
  NOT_AUTHORISED: {exitCode: 3, meaning: 'The broker refuses this user the operation (ACLs).'},
  AUTHENTICATION_FAILED: {exitCode: 3, meaning: 'The broker refuses the credentials.'},
  TLS_FAILED: {exitCode: 3, meaning: 'The TLS handshake with the broker failed.'},
  MESSAGE_TOO_LARGE: {exitCode: 3, meaning: 'The broker refuses a record batch as too large.'},
  CODEC_UNKNOWN: {
    exitCode: 3,
    meaning: 'A record batch is compressed with a codec that cannot be read here.',
  },
  BATCH_CORRUPT: {
    exitCode: 3,
    retriable: true,
    meaning: 'A fetched record batch fails its CRC or cannot be parsed; it is fetched again.',
  },
  GROUP_FENCED: {exitCode: 3, meaning: 'Another process took over this instance id of the group.'},
  GROUP_STALE: {exitCode: 3, retriable: true, meaning: 'The epoch is over: the broker refused its commit.'},
  GROUP_INCOMPATIBLE: {exitCode: 3, meaning: 'The group has members with another protocol or assignor.'},
  ASSIGNED_FOREIGN_TOPIC: {exitCode: 3, meaning: 'The group leader assigned a topic that was not asked for.'},
  BROKER_REFUSED: {
    exitCode: 3,
    meaning: 'The broker answered with an error that has no code of its own here.',
  },

  STORE_UNREACHABLE: {
    exitCode: 3,
    retriable: true,
    meaning: 'The object store cannot be reached, answers with 5xx errors, or asks for fewer requests.',
  },
  STORE_FORBIDDEN: {
    exitCode: 3,
    endsRun: true,
    meaning: 'The object store refuses the operation to these credentials, or the key of its encryption.',
  },
  STORE_CREDENTIALS: {
    exitCode: 3,
    endsRun: true,
    meaning: 'There are no credentials for the object store, or it does not accept them.',
  },
  BUCKET_UNKNOWN: {exitCode: 3, endsRun: true, meaning: 'The bucket does not exist.'},

  RECORD_FAILED: {
    exitCode: 4,
    meaning: 'A record could not be transformed or sent on, and the run was to stop then.',
  },

  FILE_CHANGED: {exitCode: 4, meaning: 'A file kept changing while it was being read and was not sent.'},
  FILE_UNREADABLE: {exitCode: 4, meaning: 'A file could not be read and was not sent.'},
  FILE_SKIPPED: {
    exitCode: 0,
    meaning: 'Something in a directory is no regular file (a symbolic link, a socket) and was not sent.',
  },
  FILE_INCOMPLETE: {exitCode: 4, meaning: 'Chunks of a file are missing from the topic.'},
  FILE_PARKED: {
    exitCode: 4,
    meaning: 'Chunks of a file did not come; what there is of it is named on the dead-letter topic.',
  },
  FILE_HELD: {
    exitCode: 4,
    meaning: 'A file could not be delivered; it stays open and is tried again at the next start.',
  },
  FILE_EXISTS: {
    exitCode: 4,
    meaning: 'Another file has the name of a file that was to be delivered, and is not to be replaced.',
  },
  PROCESSING_FAILED: {
    exitCode: 4,
    meaning: 'A processor or program failed on a file; the file is held and tried again at the next start.',
  },
  PROCESSING_TIMED_OUT: {
    exitCode: 4,
    meaning: 'A processor or program took longer over a file than `--timeout` allows.',
  },
  PROCESSOR_CRASHED: {
    exitCode: 4,
    meaning: 'The process in which a file was being processed died (out of memory, a signal, an exit).',
  },
  FILE_TOO_LARGE_FOR_MEMORY: {
    exitCode: 4,
    meaning: 'A processor asked for the whole content of a file that is too large for one buffer.',
  },
  FILE_NAME_CONFLICT: {
    exitCode: 4,
    meaning: 'A file cannot be written under its name (a directory is there, or the name is too long).',
  },

  OBJECT_REFUSED: {
    exitCode: 4,
    meaning: 'The object store refuses one object (its key, its size, a setting); the file is held.',
  },
  OBJECT_CONFLICT: {
    exitCode: 4,
    retriable: true,
    meaning:
      'Somebody else wrote the same key, or ended an upload, at the same time; the file is read again.',
  },

  FILE_HASH_MISMATCH: {
    exitCode: 5,
    meaning: 'A rebuilt file does not match the SHA-512 its uploader recorded.',
  },

  FILE_CRC_MISMATCH: {
    exitCode: 5,
    meaning:
      'A rebuilt file does not match the CRC-32 that its uploader recorded, or the SHA-256 in its metadata, though its SHA-512 does.',
  },
  OBJECT_CORRUPTED: {
    exitCode: 5,
    meaning: 'What arrived at the object store is not what was sent, again and again.',
  },

  STORAGE_FULL: {exitCode: 6, retriable: true, meaning: 'The local disk is full.'},
  STORAGE_GONE: {
    exitCode: 6,
    retriable: true,
    meaning: 'A local directory has vanished, or another one is in its place (unmounted, moved, removed).',
  },
  STORAGE_FORBIDDEN: {exitCode: 6, meaning: 'A local directory or file cannot be written.'},
  STORAGE_FAILED: {exitCode: 6, retriable: true, meaning: 'Local storage failed (an I/O error).'},

  PLUGIN_UNLOADABLE: {exitCode: 7, meaning: 'A plugin cannot be loaded.'},
  PLUGIN_NOT_INSTALLED: {
    exitCode: 7,
    meaning: 'npm could not install, update or remove a plugin; what it says is printed.',
  },
  PLUGIN_SETUP_FAILED: {exitCode: 7, endsRun: true, meaning: 'The `setup` of a processor failed.'},
  PLUGIN_LATE_ERROR: {
    exitCode: 7,
    endsRun: true,
    meaning: 'A processor failed where nobody waited for it (a timer, a promise that was not awaited).',
  },
  PROGRAM_OUT_OF_STEP: {
    exitCode: 7,
    endsRun: true,
    meaning:
      'A program that transforms records wrote a line that nobody had asked for, or that is the answer to another record.',
  },

  INTERRUPTED: {exitCode: 130, meaning: 'Stopped by a signal before the work was finished.'},
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERROR_KINDS

export interface ErrorDetails {
  /** What to do next, most likely first. */
  readonly suggestions?: readonly string[]
  /** What it happened to: topic, partition, offset, path, … Never a secret. */
  readonly facts?: Readonly<Record<string, string | number | boolean | null>>
  readonly cause?: unknown
}

export class StreamtoolError extends Error {
  readonly code: ErrorCode
  readonly exitCode: ExitCode
  readonly retriable: boolean
  readonly endsRun: boolean
  readonly suggestions: string[]
  readonly facts: NonNullable<ErrorDetails['facts']>
  /** Read by oclif, whose own handler would otherwise exit with 1 (or 2). */
  readonly oclif: {readonly exit: ExitCode}

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : {cause: details.cause})
    const kind: ErrorKind = ERROR_KINDS[code]
    this.name = 'StreamtoolError'
    this.code = code
    this.exitCode = kind.exitCode
    this.retriable = kind.retriable ?? false
    this.endsRun = kind.endsRun ?? false
    this.suggestions = [...(details.suggestions ?? [])]
    this.facts = details.facts ?? {}
    this.oclif = {exit: kind.exitCode}
  }
}

/** Picks the exit code that docs/errors.md promises when several apply. */
export function worstExitCode(codes: Iterable<ExitCode>): ExitCode {
  const present = new Set(codes)
  return EXIT_PRECEDENCE.find((code) => present.has(code)) ?? ExitCode.done
}

/** Anything that was thrown, as one of the family; what is foreign becomes BUG with the original as its cause. */
export function asStreamtoolError(thrown: unknown): StreamtoolError {
  if (thrown instanceof StreamtoolError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new StreamtoolError('BUG', message, {cause: thrown})
}

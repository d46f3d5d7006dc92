/** The sections that end every command's --help. docs/errors.md and docs/configuration.md say it at length. */

export const EXIT_CODES: readonly (readonly [number, string])[] = [
  [0, 'done'],
  [1, 'a bug in streamtool'],
  [2, 'usage or configuration'],
  [3, 'the broker or the store cannot be reached or used'],
  [4, 'finished, but files failed, are held, parked or incomplete'],
  [5, 'data does not match its hash'],
  [6, 'local storage: full, or forbidden'],
  [7, 'the plugin could not be loaded'],
  [130, 'interrupted'],
]

export const exitCodeSection = EXIT_CODES.map(
  ([code, meaning]) => `${String(code).padStart(3)}  ${meaning}`,
).join('\n')

export const environmentSection = `Every flag has a variable: --some-flag is STREAMTOOL_SOME_FLAG. A flag overrides its variable, a variable the configuration file.`

export const configurationSection = `Every flag has a key of its name, at the top of the file for all commands or under the command's name. The file is streamtool.config.yaml (.yml, .json) or .streamtoolrc in the working directory or above it, then config.yaml in ~/.config/streamtool and /etc/streamtool; or what --config names. streamtool config explain COMMAND shows what comes from where.`

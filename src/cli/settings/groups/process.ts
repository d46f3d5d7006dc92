/** What `process` has for itself. A plugin's own flags come on top (cli/plugin-flags.ts). */
import {choice, duration, integer, pairs, path, text, toggle} from '../setting.js'

export const processorSettings = {
  plugin: text({
    group: 'PROCESSOR',
    placeholder: 'SPEC',
    summary: 'Processor to run: a path (.js .mjs .cjs .ts), the name of an npm package, or a built-in one',
  }),
  exec: text({
    group: 'PROCESSOR',
    placeholder: 'COMMAND',
    summary:
      "Program to run for each file instead: 'python3 analyse.py {path}'; without {path} it reads the file on its standard input",
  }),
  execShell: toggle({
    group: 'PROCESSOR',
    summary: 'Run COMMAND by sh -c; it knows the file from its environment: "$STREAMTOOL_FILE_PATH"',
    default: 'false',
  }),
  options: pairs({
    group: 'PROCESSOR',
    summary:
      "The plugin's own flags, all in one; in a configuration file a table, process.options. --plugin SPEC --help shows them",
  }),
  isolate: choice(['none', 'process'], {
    group: 'PROCESSOR',
    summary: 'Run the plugin in this process, or in others, so that its crash ends nothing but an attempt',
    default: 'none',
  }),
}

export const processingSettings = {
  output: path({
    group: 'FILES',
    placeholder: 'DIR',
    summary: 'Directory for results, and for what is remembered of files (else ./NAME-output)',
  }),
  mode: choice(['auto', 'memory', 'disk', 'both'], {
    group: 'FILES',
    summary:
      'How a file is handed over: under its name on the disk, and in memory as well if it is small; in memory only; on the disk only; both',
    default: 'auto',
  }),
  keepFiles: toggle({
    group: 'FILES',
    summary: 'Leave each file under its path in the output directory once it was processed',
    default: 'false',
  }),
  concurrency: integer({
    group: 'FILES',
    summary: 'Files that are processed side by side',
    default: '2',
    min: 1,
    max: 1024,
  }),
  timeout: duration({
    group: 'ATTEMPTS',
    summary: 'How long one attempt on a file may take (else as long as it does)',
  }),
  attempts: integer({
    group: 'ATTEMPTS',
    summary: 'How often a file is tried in one run; then it has failed',
    default: '3',
    min: 1,
  }),
  attemptDelay: duration({
    group: 'ATTEMPTS',
    summary: 'Pause before the second attempt; it doubles with each further one',
    default: '1s',
  }),
  resultTopic: text({
    group: 'RESULTS',
    placeholder: 'TOPIC',
    summary: 'What the processor returns or produces, or the program prints, goes to this topic',
  }),
  registry: path({
    group: 'RESULTS',
    placeholder: 'DIR',
    summary: "Also write OpenMSIStream's CSV files about what was processed, for scripts that read them",
  }),
}

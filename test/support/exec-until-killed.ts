/** Runs a program on a file and is killed meanwhile: arguments are the program and a directory. */
import {createExecHost, parseExec} from '../../src/processors/exec/index.js'
import {fileInfo} from './processed-file.js'
import {recordedLog} from './quiet.js'
import {stagedFile} from './staged-file.js'

const [program = '', directory = ''] = process.argv.slice(2)
const host = createExecHost({
  command: parseExec(program, {shell: false}),
  outputDir: directory,
  results: null,
  environment: process.env,
  logger: recordedLog(),
  graceMs: 1000,
})
await host.start()
await host.process(fileInfo('a'), await stagedFile(directory, 'a', 'x'), new AbortController().signal)

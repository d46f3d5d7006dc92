/** Counts the lines of each file that arrives, and writes what it found beside them. Make it yours. */
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {defineProcessor} from 'streamtool'

export default defineProcessor({
  name: '{{name}}',
  description: 'counts the lines of each file',

  // On the command line --skip-empty, in the configuration process.options.skip-empty.
  flags: {
    skipEmpty: {type: 'boolean', description: 'do not count empty lines'},
  },

  // Called once for each file that has arrived whole. Throwing means that this file failed; others go on.
  async process(file, {options, outputDir, log}) {
    let lines = 0
    for await (const line of createInterface({input: file.stream()})) {
      if (line !== '' || !options.skipEmpty) lines++
    }
    const directory = join(outputDir, file.subdir)
    await mkdir(directory, {recursive: true})
    const result = {path: file.path, size: file.size, lines}
    await writeFile(join(directory, `${file.name}.lines.json`), JSON.stringify(result))
    log.info('counted', {lines})
    // Sent as JSON when there is a --result-topic.
    return result
  },
})

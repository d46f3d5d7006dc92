/** Each scan becomes a JSON file that sums it up and a picture, in the directory that the scan was in. */
import {mkdir, writeFile} from 'node:fs/promises'
import {basename, extname, join} from 'node:path'
import {defineProcessor} from 'streamtool'
import {plot} from './plot.js'
import {peaksOf, readScan} from './scan.js'

export default defineProcessor({
  name: 'xrd',
  description: 'sums up and plots X-ray diffraction scans',

  flags: {
    threshold: {
      type: 'number',
      default: 20,
      min: 0,
      max: 100,
      description: 'a peak reaches this many percent of the highest',
    },
    width: {type: 'number', default: 800, min: 100, description: 'of the picture, in pixels'},
  },

  async process(file, {options, outputDir, log}) {
    // What it throws is this file's failure: the file is held, and tried again at the next start.
    const scan = readScan((await file.bytes()).toString('utf8'))
    const peaks = peaksOf(scan.points, options.threshold / 100)

    const directory = join(outputDir, file.subdir)
    const stem = basename(file.name, extname(file.name))
    const summary = {
      path: file.path,
      sha512: file.sha512,
      sample: scan.conditions['Sample identification'] ?? null,
      conditions: scan.conditions,
      points: scan.points.length,
      peaks,
    }
    await mkdir(directory, {recursive: true})
    await writeFile(join(directory, `${stem}.json`), `${JSON.stringify(summary, null, 2)}\n`)
    await writeFile(
      join(directory, `${stem}.svg`),
      plot(scan.points, peaks, {title: file.path, width: options.width}),
    )
    log.info('plotted', {points: scan.points.length, peaks: peaks.length})

    // With --result-topic this is sent there as JSON.
    return summary
  },
})

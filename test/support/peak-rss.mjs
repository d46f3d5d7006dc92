/** Preloaded before streamtool: leaves a file that says how much memory the process had at its peak, in bytes. */
import {readFileSync, writeFileSync} from 'node:fs'

process.on('exit', () => {
  writeFileSync(process.env.PEAK_RSS_FILE, String(peakBytes()))
})

/** Of this program alone: what getrusage tells begins with that of the process which started it. */
function peakBytes() {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}

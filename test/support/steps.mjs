/** What test/run.mjs and test/real/run.mjs are made of: steps, one after another, and a closing line that counts. */
import {spawn} from 'node:child_process'
import {existsSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, relative, sep} from 'node:path'
import {fileURLToPath} from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/**
 * @typedef {{name: string, passed: number, failed: number, skipped?: number, failures?: string[]}} Count
 * @typedef {null | ((text: string) => void)} Output where the programs of a step print: null is where we do
 * @typedef {{name: string, run: (output: Output) => Promise<Count[]>}} Step
 */

/**
 * Runs every step, whatever became of the ones before; closes with what failed, and `N passed, N failed`. The exit code is
 * not 0 when anything failed and when nothing ran.
 *
 * @param {Step[]} steps
 */
export async function runSteps(steps) {
  const started = performance.now()
  const counts = []
  for (const step of steps) {
    console.log(`\n== ${step.name}`)
    const stepStarted = performance.now()
    counts.push(...(await step.run(inherited)))
    console.log(`-- ${step.name}: ${seconds(stepStarted)}`)
  }
  console.log(`\n== summary (${seconds(started)})`)
  for (const count of counts) console.log(`${count.name.padEnd(16)} ${describe(count)}`)
  const total = {
    passed: sum(counts, 'passed'),
    failed: sum(counts, 'failed'),
    skipped: sum(counts, 'skipped'),
  }
  console.log()
  for (const failure of counts.flatMap(({failures = []}) => failures)) console.log(`failed: ${failure}`)
  console.log(describe(total))
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
}

/** A check counts as one. */
export function npmScript(script, ...args) {
  return {
    name: script,
    run: async (output) => [
      verdict(script, (await execute('npm', ['run', '--silent', script, '--', ...args], output)) === 0),
    ],
  }
}

/**
 * Runs the others one after another beside the first, which prints as it goes on; what the others print follows in
 * one piece each.
 *
 * @param {Step} first
 * @param {Step[]} others
 * @returns {Step}
 */
export function beside(first, ...others) {
  return {
    name: [first, ...others].map(({name}) => name).join(' | '),
    run: async (output) => {
      const printed = []
      const runOthers = async () => {
        const counts = []
        for (const step of others) {
          const started = performance.now()
          const kept = []
          counts.push(...(await step.run((text) => kept.push(text))))
          printed.push(`\n== ${step.name}\n${kept.join('')}-- ${step.name}: ${seconds(started)}`)
        }
        return counts
      }
      const [counts, otherCounts] = await Promise.all([first.run(output), runOthers()])
      for (const text of printed) console.log(text)
      return [...otherCounts, ...counts]
    },
  }
}

/**
 * `bin/run.js` runs what was built; tests must not run what was built before the last change. As for those who install
 * it, its commands are listed beforehand: else every single start would load all of them.
 */
export function buildIfStale() {
  return {
    name: 'build',
    run: async (output) => {
      const counts = []
      // What the compiler has against it, check:types says.
      if (distIsStale()) counts.push(...(await npmScript('build', '--noCheck').run(output)))
      else console.log('dist is as new as src')
      // The build has removed the list of the one before.
      if (!existsSync(join(ROOT, 'oclif.manifest.json'))) await execute('npx', ['oclif', 'manifest'], output)
      return counts
    },
  }
}

/** All projects in one run, so that those which wait leave the processor to those which compute. */
export function vitest(...projects) {
  return {
    name: `vitest: ${projects.join(', ')}`,
    run: async (output) => {
      const results = join(tmpdir(), `streamtool-test-${process.pid}.json`)
      const args = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run']
      for (const project of projects) args.push('--project', project)
      args.push('--reporter=default', '--reporter=json', `--outputFile.json=${results}`)
      try {
        const exitCode = await execute(process.execPath, args, output)
        return countTests(
          projects,
          exitCode,
          existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : null,
        )
      } finally {
        rmSync(results, {force: true})
      }
    },
  }
}

/** @returns those of the programs that are not on the PATH */
export async function missingPrograms(...programs) {
  const missing = []
  for (const program of programs)
    if ((await execute('sh', ['-c', `command -v "$0" >/dev/null`, program], inherited)) !== 0)
      missing.push(program)
  return missing
}

/** A file that cannot be loaded has no tests and counts as one that failed; so does a failure outside of tests. */
function countTests(projects, exitCode, results) {
  if (results === null) return [verdict('vitest', false)]
  const counts = projects.map((name) => ({name, passed: 0, failed: 0, skipped: 0, failures: []}))
  for (const file of results.testResults) {
    const path = relative(ROOT, file.name)
    const project = path.split(sep)[1]
    const count = counts.find(({name}) => name === project) ?? counts[0]
    for (const {status, fullName} of file.assertionResults) {
      if (status === 'passed') count.passed++
      else if (status === 'failed') {
        count.failed++
        count.failures.push(`${path}: ${fullName}`)
      } else count.skipped++
    }
    if (file.status === 'failed' && !file.assertionResults.some(({status}) => status === 'failed')) {
      count.failed++
      count.failures.push(path)
    }
  }
  if (exitCode !== 0 && sum(counts, 'failed') === 0) counts.push(verdict('vitest', false))
  return counts
}

function distIsStale() {
  const built = (path) => join(ROOT, 'dist', path)
  const sources = filesUnder(join(ROOT, 'src')).filter((path) => path.endsWith('.ts'))
  const outputs = filesUnder(join(ROOT, 'dist')).filter((path) => path.endsWith('.js'))
  const expected = new Map(sources.map((path) => [path.replace(/\.ts$/, '.js'), path]))
  if (outputs.some((path) => !expected.has(path))) return true
  return [...expected].some(
    ([output, source]) =>
      !existsSync(built(output)) ||
      statSync(built(output)).mtimeMs < statSync(join(ROOT, 'src', source)).mtimeMs,
  )
}

function filesUnder(directory) {
  if (!existsSync(directory)) return []
  return readdirSync(directory, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
}

/** Says that a program prints where we do. */
const inherited = null

/**
 * @param {Output} output
 * @returns {Promise<number>} the exit code; not 0 when the program was killed or cannot be started
 */
function execute(command, args, output) {
  return new Promise((resolve) => {
    const to = output === inherited ? 'inherit' : 'pipe'
    const child = spawn(command, args, {cwd: ROOT, stdio: ['ignore', to, to]})
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => output(text))
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`)
      resolve(127)
    })
    child.once('close', (exitCode) => resolve(exitCode ?? 1))
  })
}

function verdict(name, isGood) {
  return {name, passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, failures: isGood ? [] : [name]}
}

function sum(counts, key) {
  return counts.reduce((total, count) => total + (count[key] ?? 0), 0)
}

function describe({passed, failed, skipped = 0}) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`
}

import {execFileSync, spawn} from 'node:child_process'
import {randomBytes} from 'node:crypto'
import {existsSync, readFileSync} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {beforeEach, describe, expect, it, onTestFinished} from 'vitest'
import type {StagedFile} from '../../../../src/core/ports/index.js'
import {createExecHost, parseExec, type ExecHostOptions} from '../../../../src/processors/exec/index.js'
import type {ProcessorHost} from '../../../../src/processors/host.js'
import type {ResultSink} from '../../../../src/processors/results.js'
import {eventually} from '../../../support/eventually.js'
import {fileInfo} from '../../../support/processed-file.js'
import {recordedLog, type RecordedLog} from '../../../support/quiet.js'
import {stagedFile, stagedInMemory} from '../../../support/staged-file.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

let home: string
let log: RecordedLog
let sent: unknown[]
const sink: Pick<ResultSink, 'returned'> = {returned: async (value, {path}) => void sent.push([path, value])}
beforeEach(async () => {
  home = await temporaryDirectory()
  log = recordedLog()
  sent = []
})

async function startHost(
  template: string,
  options: Partial<ExecHostOptions> & {shell?: boolean} = {},
): Promise<ProcessorHost> {
  const {shell = false, ...rest} = options
  const host = createExecHost({
    command: parseExec(template, {shell}),
    outputDir: home,
    results: sink,
    environment: process.env,
    logger: log,
    graceMs: 2000,
    ...rest,
  })
  onTestFinished(() => host.close())
  await host.start()
  return host
}

const {signal: never} = new AbortController()
async function run(
  host: ProcessorHost,
  path = 'a.csv',
  content: Buffer | string = 'content',
): Promise<unknown> {
  return host.process(fileInfo(path, content), await stagedFile(join(home, 'stage'), path, content), never)
}
const text = (result: unknown): string => (result as Buffer).toString()
const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // What nobody waits for any more is dead.
  return !existsSync(`/proc/${pid}/stat`) || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}
async function pidFrom(file: string): Promise<number> {
  let pid = NaN
  await eventually(`${file} has a process id`, async () => {
    pid = Number.parseInt(await readFile(join(home, file), 'utf8').catch(() => ''), 10)
    return !Number.isNaN(pid)
  })
  return pid
}
const asScript = (name: string, lines: string): Promise<string> => {
  const path = join(home, name)
  return writeFile(path, `#!/bin/sh\n${lines}\n`, {mode: 0o755}).then(() => path)
}

describe('a program as a processor', () => {
  it('gets the file by its path, and its result is what it prints', async () => {
    const host = await startHost('cat {path}')
    expect(text(await run(host, 'run/a.csv', 'x;y\n'))).toBe('x;y')
    expect(sent).toEqual([['run/a.csv', Buffer.from('x;y')]])
    expect(host.name).toBe('cat')
  })

  it('gets the content on its standard input when the path is not asked for', async () => {
    const content = randomBytes(300_000)
    const host = await startHost('sha512sum', {resultBytes: 200})
    const file = fileInfo('a', content)
    expect(text(await host.process(file, stagedInMemory(content), never))).toBe(`${file.sha512}  -`)
  })

  it('knows the facts of the file from its environment, and no secret of streamtool', async () => {
    const environment = {...process.env, STREAMTOOL_SASL_PASSWORD: 'secret', OTHER: 'kept'}
    const host = await startHost('env', {environment})
    const lines = text(await run(host, 'run/ä b.csv')).split('\n')
    expect(lines).toContain('STREAMTOOL_FILE_NAME=ä b.csv')
    expect(lines).toContain(`STREAMTOOL_FILE_PATH=${join(home, 'stage', 'ä b.csv')}`)
    expect(lines).toContain(`STREAMTOOL_FILE_OUTPUT_DIR=${home}`)
    expect(lines).toContain('OTHER=kept')
    expect(lines.join()).not.toContain('secret')
  })

  it('runs where streamtool was started', async () => {
    expect(text(await run(await startHost('pwd')))).toBe(process.cwd())
  })

  it.each(['-rf', ' two  words ', `"it's"`, '$(touch pwned)', '`touch pwned`', 'new\nline', '*', '{name}'])(
    'gets a file called %j as one argument',
    async (name) => {
      const host = await startHost(
        `node -p 'JSON.stringify(process.argv.slice(1))' -- {path} {name} 'x {name}'`,
      )
      const path = join(home, 'stage', name)
      expect(JSON.parse(text(await run(host, `run/${name}`)))).toEqual([path, name, `x ${name}`])
      expect(existsSync('pwned')).toBe(false)
    },
  )

  it('is run by a shell when that is asked for, with names in the environment only', async () => {
    const host = await startHost(
      'wc -c < "$STREAMTOOL_FILE_PATH" | tr -d " "; echo "$STREAMTOOL_FILE_NAME"',
      {shell: true},
    )
    expect(text(await run(host, '$(touch pwned)`touch pwned`', 'four'))).toBe(
      '4\n$(touch pwned)`touch pwned`',
    )
    expect(existsSync('pwned')).toBe(false)
  })

  it('has no result when it prints nothing', async () => {
    expect(await run(await startHost('true'))).toBeUndefined()
  })

  it('need not read its input', async () => {
    const host = await startHost('true {name}')
    expect(await run(await startHost('true'), 'a', randomBytes(3_000_000))).toBeUndefined()
    expect(await run(host, 'a', randomBytes(3_000_000))).toBeUndefined()
    expect(text(await run(await startHost('head -c 3'), 'a', 'x'.repeat(3_000_000)))).toBe('xxx')
  })

  it('is fed as fast as it reads', async () => {
    const piece = Buffer.alloc(64 * 1024)
    let givenBytes = 0
    const content: StagedFile = {
      ...stagedInMemory(Buffer.alloc(0)),
      async *read() {
        for (let i = 0; i < 800; i++) {
          givenBytes += piece.length
          yield piece
        }
      },
    }
    const script = await asScript('wait', `while [ ! -e ${home}/go ]; do sleep 0.05; done; wc -c`)
    const result = (await startHost(script)).process(fileInfo('a'), content, never)
    await eventually('it is fed', () => givenBytes > 0)
    await sleep(300)
    expect(givenBytes).toBeLessThan(1024 * 1024)
    await writeFile(join(home, 'go'), '')
    expect(text(await result).trim()).toBe(String(800 * piece.length))
  })
})

describe('a program that fails', () => {
  it('has no result', async () => {
    await expect(run(await startHost(`sh -c 'echo half; exit 1'`))).rejects.toThrow('exited with 1')
    expect(sent).toEqual([])
  })

  it('is one whose result cannot be sent', async () => {
    const results = {returned: async () => Promise.reject(new Error('the topic is gone'))}
    await expect(run(await startHost('echo x', {results}))).rejects.toThrow('the topic is gone')
  })

  it('fails the file by its exit code, with its last words', async () => {
    const script = await asScript(
      'fail',
      'echo one >&2; echo two >&2; echo three >&2; echo "four" >&2; exit 3',
    )
    const failed = run(await startHost(script), 'run/a.csv')
    await expect(failed).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
      message: 'fail exited with 3 on run/a.csv: two | three | four',
      facts: {path: 'run/a.csv', exitCode: 3},
    })
    expect(
      log.entries.map(({level, message, facts}) => [level, message, facts['file'], facts['attempt']]),
    ).toEqual(['one', 'two', 'three', 'four'].map((line) => ['info', line, 'run/a.csv', 1]))
  })

  it('fails the file by the signal that ended it', async () => {
    const host = await startHost(await asScript('crash', 'kill -s SEGV $$'))
    await expect(run(host)).rejects.toMatchObject({
      code: 'PROCESSOR_CRASHED',
      message: 'crash was ended by SIGSEGV on a.csv.',
    })
  })

  it('fails the file when it cannot be started for it', async () => {
    const script = await asScript('gone', 'true')
    const host = await startHost(script)
    await writeFile(script, '', {mode: 0o644})
    execFileSync('chmod', ['-x', script])
    await expect(run(host)).rejects.toMatchObject({code: 'PROCESSING_FAILED', facts: {path: 'a.csv'}})
  })

  it('is told from one whose input cannot be read', async () => {
    const content: StagedFile = {
      ...stagedInMemory(Buffer.alloc(0)),
      async *read() {
        throw new Error('the disk is gone')
      },
    }
    // With an end of its input it would succeed.
    await expect((await startHost('cat')).process(fileInfo('a'), content, never)).rejects.toThrow(
      'the disk is gone',
    )
  })

  it.each([
    ['a program that is not there', 'no-such-program-xyz {path}'],
    ['a file that is not executable', `${import.meta.filename} {path}`],
    ['a directory', '/tmp {path}'],
    ['a script that is not there', 'sh no-such-script.sh {path}'],
  ])('is refused at start: %s', async (_, template) => {
    await expect(startHost(template)).rejects.toMatchObject({code: 'PLUGIN_UNLOADABLE', exitCode: 7})
  })
})

describe('what a program prints', () => {
  it('may be without end: it is read and dropped', async () => {
    const host = await startHost('head -c 300000000 /dev/zero', {resultBytes: 1000})
    const before = process.memoryUsage().rss
    await expect(run(host)).rejects.toMatchObject({
      code: 'PROCESSING_FAILED',
      message: 'What was printed for a.csv is more than 1000 bytes, too large for a result.',
    })
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024)
  })

  it('is logged when nobody wants it as a result, and only so much of it', async () => {
    const host = await startHost(`sh -c 'seq 1 1000; yes no | head -n 1000 >&2; printf "no line end"'`, {
      results: null,
    })
    expect(await run(host)).toBeUndefined()
    const at = (level: string) =>
      log.entries.filter((entry) => entry.level === level).map(({message}) => message)
    expect(at('debug')).toEqual(Array.from({length: 200}, (_, i) => String(i + 1)))
    expect(at('info')).toEqual([
      ...Array.from({length: 200}, () => 'no'),
      '… and 1601 more lines, which are left out',
    ])
  })

  it('comes in pieces when it has no lines', async () => {
    const host = await startHost(
      `sh -c 'head -c 10000 /dev/zero | tr "\\\\0" x >&2; printf "\\\\r50 %%\\\\r" >&2'`,
    )
    await run(host)
    expect(log.entries.map(({message}) => message)).toEqual([
      'x'.repeat(4096),
      'x'.repeat(4096),
      'x'.repeat(1808),
      '50 %',
    ])
  })
})

describe('the end of a program', () => {
  const family = () =>
    asScript(
      'family',
      `sh -c 'trap "" TERM; echo $$ > ${home}/grandchild; while :; do sleep 0.1; done' & echo $$ > ${home}/child; wait`,
    )

  it('on a time-out is that of all that it started, of those too that do not want to', async () => {
    const host = await startHost(await family(), {graceMs: 300})
    const timeOut = new AbortController()
    const content = await stagedFile(home, 'a.csv', 'x')
    const attempt = host.process(fileInfo('a.csv'), content, timeOut.signal)
    const pids = [await pidFrom('child'), await pidFrom('grandchild')]
    expect(pids.map(isRunning)).toEqual([true, true])
    timeOut.abort(new Error('too long'))
    await expect(attempt).rejects.toThrow('too long')
    await eventually('they have ended', () => !pids.some(isRunning))
  })

  it('comes with the end of the run', async () => {
    const host = await startHost(await family(), {graceMs: 300})
    const attempt = run(host)
    const pids = [await pidFrom('child'), await pidFrom('grandchild')]
    await Promise.all([expect(attempt).rejects.toMatchObject({code: 'INTERRUPTED'}), host.close()])
    await eventually('they have ended', () => !pids.some(isRunning))
  })

  it('is not held up by what it left running, and ends that too', async () => {
    const script = await asScript('leave', `sleep 600 & echo $! > ${home}/left; echo done`)
    expect(text(await run(await startHost(script)))).toBe('done')
    const left = await pidFrom('left')
    await eventually('it has ended', () => !isRunning(left))
  })

  it('does not begin when the attempt is over already', async () => {
    const host = await startHost(await asScript('touch', `touch ${home}/begun`))
    const content = stagedInMemory(Buffer.alloc(0))
    await expect(host.process(fileInfo('a'), content, AbortSignal.abort(new Error('over')))).rejects.toThrow(
      'over',
    )
    expect(existsSync(join(home, 'begun'))).toBe(false)
  })

  it('comes when streamtool is killed', async () => {
    const script = await family()
    const source = join(import.meta.dirname, '../../../support/exec-until-killed.ts')
    const streamtool = spawn(process.execPath, ['--import', 'tsx', source, script, home], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const pids = [await pidFrom('child'), await pidFrom('grandchild')]
    expect(pids.map(isRunning)).toEqual([true, true])
    streamtool.kill('SIGKILL')
    await eventually('they have ended', () => !pids.some(isRunning))
  })
})

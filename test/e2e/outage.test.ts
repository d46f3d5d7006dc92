/** An output directory that is away for a while, through the whole `reconstruct` command. */
import {execFileSync} from 'node:child_process'
import {mkdir, readdir, rename, rm, rmdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest'
import {createKafkaClient} from '../../src/adapters/kafka/index.js'
import type {DeliverReport} from '../../src/core/report.js'
import {type MortalBroker, startSandboxProcess} from '../support/crash/brokers.js'
import {Member} from '../support/crash/member.js'
import {streamtoolJson} from '../support/cli.js'
import {silentLogger} from '../support/delivery.js'
import {eventually} from '../support/eventually.js'
import {temporaryDirectories} from '../support/temporary-directory.js'
import {readTree, writeLargeFile, writeSmallFiles} from '../support/trees.js'

const canMount = process.platform === 'linux' && process.getuid?.() === 0
const SESSION_MS = 1500
const newDirectory = temporaryDirectories()
let broker: MortalBroker
beforeAll(async () => {
  broker = await startSandboxProcess()
})
afterAll(() => broker.close())

interface Run {
  readonly topic: string
  readonly input: string
  /** Exists below a directory of the test. */
  readonly output: string
  readonly env: NodeJS.ProcessEnv
  upload(): Promise<unknown>
  reconstruct(): Member
}

async function newRun(topic: string, output?: string): Promise<Run> {
  const [input, parent, stateDir] = [await newDirectory(), await newDirectory(), await newDirectory()]
  const env = {...process.env, STREAMTOOL_BROKERS: broker.bootstrap, STREAMTOOL_STATE_DIR: stateDir}
  const directory = output ?? join(parent, 'received')
  return {
    topic,
    input,
    output: directory,
    env,
    upload: () => streamtoolJson(['upload', input, '--topic', topic], {env}),
    reconstruct: () => {
      const args = ['--session-timeout', `${SESSION_MS}ms`]
      const member = new Member({topic, output: directory, env, args})
      onTestFinished(async () => {
        if (member.isRunning) await member.kill()
      })
      return member
    },
  }
}

const deliveredPaths = (member: Member): string[] =>
  member.events.flatMap((told) => (told.event === 'file.delivered' ? [told.path] : []))

const untilDelivered = (member: Member, count: number) =>
  member.until(`${count} files are delivered`, () => deliveredPaths(member).length >= count)

const untilSaid = (member: Member, words: string) =>
  eventually(`it says "${words}"`, () => member.words.includes(words))

describe('an output directory that vanishes while files arrive', () => {
  it('is waited for in the group, with an empty one in its place, and everything is delivered once it is back', async () => {
    const run = await newRun('vanishing')
    const {input, output} = run
    await writeSmallFiles(input, 50)
    await run.upload()
    const member = run.reconstruct()
    await untilDelivered(member, 50)
    const {group} = member.events.find(({event}) => event === 'started') as unknown as {group: string}
    const client = createKafkaClient({brokers: [broker.bootstrap], clientId: 'look'}, {logger: silentLogger})
    onTestFinished(() => client.close())
    const before = await client.admin().groupMembers(group)

    await rename(output, `${output}.away`)
    await mkdir(output)
    await writeSmallFiles(join(input, 'more'), 300)
    await writeLargeFile(join(input, 'large.raw'), 12 << 20)
    await rm(join(input, 'run 0'), {recursive: true})
    await run.upload()
    await untilSaid(member, 'is not the directory that this process began with')
    await sleep(4 * SESSION_MS)
    expect(await client.admin().groupMembers(group)).toEqual(before)
    expect(member.events.filter(({event}) => event === 'assignment')).toHaveLength(1)
    expect(await readdir(output)).toEqual([])
    expect(member.words.match(/Waiting until that is over/g)).toHaveLength(1)

    await rmdir(output)
    await rename(`${output}.away`, output)
    const sent = await readTree(input)
    await member.until(
      'all are there',
      () => new Set(deliveredPaths(member)).size >= Object.keys(sent).length,
    )
    await untilSaid(member, 'can be written to again: going on.')
    const report = await member.stop()
    expect(report.files).toMatchObject({failed: 0, held: 0, incomplete: 0, open: 0})
    const received = await readTree(output)
    for (const [path, facts] of Object.entries(sent)) expect(received[path], path).toEqual(facts)
    expect(member.events.filter(({event}) => event === 'file.held' || event === 'file.failed')).toEqual([])
  })

  it('lets a stop end cleanly meanwhile; the next run delivers what waited', async () => {
    const run = await newRun('stopped')
    const {input, output, topic, env} = run
    await writeSmallFiles(input, 10)
    await run.upload()
    const member = run.reconstruct()
    await untilDelivered(member, 10)
    await rename(output, `${output}.away`)
    await writeSmallFiles(join(input, 'more'), 300)
    await writeLargeFile(join(input, 'large.raw'), 8 << 20)
    await run.upload()
    await untilSaid(member, 'is not there any more')
    const stopped = performance.now()
    const report = await member.stop()
    expect(performance.now() - stopped).toBeLessThan(20_000)
    expect(report.files).toMatchObject({failed: 0, held: 0})
    expect(report.problems.filter(({outcome}) => outcome !== 'open')).toEqual([])
    await expect(readdir(output)).rejects.toMatchObject({code: 'ENOENT'})

    await rename(`${output}.away`, output)
    const args = ['reconstruct', '--topic', topic, '--output', output, '--once']
    const {files} = await streamtoolJson<DeliverReport>(args, {env})
    expect(files).toMatchObject({failed: 0, incomplete: 0, open: 0})
    expect(await readTree(output)).toEqual(await readTree(input))
  })
})

describe.runIf(canMount)('an output directory on a disk that is full', () => {
  it('is waited for in the group, and everything is delivered once there is space', async () => {
    const output = await newDirectory()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', output])
    onTestFinished(() => {
      execFileSync('umount', ['-l', output])
    })
    const run = await newRun('full', output)
    const ballast = join(output, 'ballast')
    await writeFile(ballast, Buffer.alloc(20 << 20))
    await writeSmallFiles(run.input, 100)
    await writeLargeFile(join(run.input, 'large.raw'), 10 << 20)
    await run.upload()
    const member = run.reconstruct()
    await untilSaid(member, 'no space is left on the disk')
    await sleep(3 * SESSION_MS)
    expect(member.events.filter(({event}) => event === 'assignment')).toHaveLength(1)
    await rm(ballast)
    await untilDelivered(member, 101)
    const report = await member.stop()
    expect(report.files).toMatchObject({delivered: 101, failed: 0, held: 0})
    expect(await readTree(output)).toEqual(await readTree(run.input))
  })
})

/** Files that streamtool did not write, or that were changed since, under the names of delivered ones. */
import {lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile} from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import {describe, expect, it, onTestFinished} from 'vitest'
import {createDirectoryDestination} from '../../../../src/adapters/files/directory-destination.js'
import type {OnConflict} from '../../../../src/adapters/files/placing.js'
import {systemClock} from '../../../../src/adapters/system/clock.js'
import type {Destination} from '../../../../src/core/ports/index.js'
import {runTestChild} from '../../../support/child-process.js'
import {incomingFile} from '../../../support/incoming-file.js'
import {noSteps, type RecordedLog, recordedLog} from '../../../support/quiet.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const {signal} = new AbortController()
const timeOf = (generation: number) => 1_700_000_000_000 + generation * 1000

interface Output {
  readonly root: string
  readonly destination: Destination
  readonly log: RecordedLog
}

async function open(onConflict: OnConflict, root?: string): Promise<Output> {
  const [directory, log] = [root ?? (await temporaryDirectory()), recordedLog()]
  const destination = await createDirectoryDestination({
    root: directory,
    onConflict,
    concurrency: 8,
    clock: systemClock,
    logger: log,
    steps: noSteps,
  })
  onTestFinished(() => destination.close())
  return {root: directory, destination, log}
}

/** One process after another. */
async function reopened({root, destination}: Output, onConflict: OnConflict): Promise<Output> {
  await destination.close()
  return open(onConflict, root)
}

/** @param generation the higher, the newer; without time the file has none of its own */
async function deliver(
  {destination}: Output,
  file: string,
  text: string,
  generation = 1,
  {hasTime = true} = {},
): Promise<string> {
  const mtimeMs = hasTime ? timeOf(generation) : null
  const content = Buffer.from(text)
  const facts = {offset: generation, uploadId: `${generation}`, mtimeMs, orderMtimeMs: mtimeMs}
  const writer = await destination.open(incomingFile(file, content, facts), signal)
  try {
    await writer.write(content)
    return await writer.finish(content.length)
  } catch (thrown) {
    await writer.discard()
    throw thrown
  }
}

async function files(root: string): Promise<Record<string, string>> {
  const names = (await readdir(root)).filter((name) => name !== '.streamtool').sort()
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => {
        const isFile = (await lstat(path.join(root, name))).isFile()
        return [name, isFile ? await readFile(path.join(root, name), 'utf8') : '(no file)'] as const
      }),
    ),
  )
}

const put = (root: string, name: string, text: string) => writeFile(path.join(root, name), text)
const leftOvers = async (root: string) =>
  (await readdir(path.join(root, '.streamtool/partial/0'))).filter((name) => name.endsWith('.part'))

describe.each(['keep', 'rename', 'fail'] as const)('--on-conflict %s', (onConflict) => {
  it('delivers where nothing is in the way, newer generations over older ones, and each once', async () => {
    let output = await open(onConflict)
    const {root} = output
    expect(await deliver(output, 'f', 'one', 1)).toBe('delivered')
    expect(await deliver(output, 'f', 'one', 1)).toBe('unchanged')
    expect(await deliver(output, 'f', 'two', 2)).toBe('delivered')
    expect(await deliver(output, 'f', 'one', 1)).toBe('superseded')
    output = await reopened(output, onConflict)
    expect(await deliver(output, 'f', 'two', 2)).toBe('unchanged')
    expect(await deliver(output, 'f', 'three', 3)).toBe('delivered')
    expect(await deliver(output, 'd/without time', 'a', 1, {hasTime: false})).toBe('delivered')
    expect(await deliver(output, 'd/without time', 'b', 2, {hasTime: false})).toBe('delivered')
    expect(await readFile(path.join(root, 'd/without time'), 'utf8')).toBe('b')
    expect(await files(root)).toEqual({d: '(no file)', f: 'three'})
    expect(await leftOvers(root)).toEqual([])
  })

  it('counts a file that has the very content as delivered, whoever wrote it', async () => {
    const output = await open(onConflict)
    await put(output.root, 'f', 'one')
    expect(await deliver(output, 'f', 'one', 1)).toBe('unchanged')
    expect(await deliver(output, 'f', 'two', 2)).toBe('delivered')
    expect(await files(output.root)).toEqual({f: 'two'})
  })

  it('knows its own file by its content, when only its time was changed', async () => {
    const output = await open(onConflict)
    await deliver(output, 'f', 'one', 1)
    await utimes(path.join(output.root, 'f'), 1, 1)
    expect(await deliver(output, 'f', 'two', 2)).toBe('delivered')
    expect(await files(output.root)).toEqual({f: 'two'})
  })

  it('delivers again what was removed', async () => {
    const output = await open(onConflict)
    await deliver(output, 'f', 'one', 1)
    await rm(path.join(output.root, 'f'))
    expect(await deliver(output, 'f', 'one', 1)).toBe('delivered')
    expect(await files(output.root)).toEqual({f: 'one'})
  })

  it.each(['before-rename', 'after-rename'] as const)(
    'goes on after a process was killed %s: its file is no conflict, and not delivered twice',
    async (step) => {
      const root = await temporaryDirectory()
      const child = (generation: string) =>
        runTestChild('test/unit/adapters/files/children/deliver-once.ts', [
          root,
          onConflict,
          'f',
          `generation ${generation}`,
          generation,
          step,
        ]).ended
      await child('1')
      const visible = step === 'after-rename' ? {f: 'generation 1'} : {}
      expect(await files(root)).toEqual(visible)
      const once = step === 'after-rename' ? 'unchanged' : 'delivered'
      let output = await open(onConflict, root)
      expect(await leftOvers(root)).toEqual([])
      expect(await deliver(output, 'f', 'generation 1', 1)).toBe(once)

      await output.destination.close()
      await child('2')
      output = await open(onConflict, root)
      // What the killed one was at may come late: a newer one meets its file first.
      expect(await deliver(output, 'f', 'generation 3', 3)).toBe('delivered')
      expect(await deliver(output, 'f', 'generation 2', 2)).toBe('superseded')
      expect(await files(root)).toEqual({f: 'generation 3'})
    },
    60_000,
  )
})

describe('--on-conflict overwrite', () => {
  it('replaces whatever is there, a link itself', async () => {
    const output = await open('overwrite')
    const {root} = output
    await put(root, 'f', 'theirs')
    await put(root, 'target', 'behind the link')
    await symlink('target', path.join(root, 'link'))
    expect(await deliver(output, 'f', 'ours')).toBe('delivered')
    expect(await deliver(output, 'link', 'ours')).toBe('delivered')
    expect(await files(root)).toEqual({f: 'ours', link: 'ours', target: 'behind the link'})
  })

  it('takes its own name again, after a run that delivered beside it', async () => {
    let output = await open('rename')
    const {root} = output
    await put(root, 'f', 'theirs')
    await deliver(output, 'f', 'ours', 1)
    output = await reopened(output, 'overwrite')
    expect(await deliver(output, 'f', 'ours', 1)).toBe('delivered')
    output = await reopened(output, 'fail')
    expect(await deliver(output, 'f', 'newer', 2)).toBe('delivered')
    expect(await files(root)).toEqual({f: 'newer', 'f (2)': 'ours'})
  })
})

describe('--on-conflict keep', () => {
  it('keeps a file of somebody else, and a link, and leaves the delivered one out', async () => {
    const output = await open('keep')
    const {root} = output
    await put(root, 'f', 'theirs')
    await symlink('nowhere', path.join(root, 'link'))
    expect(await deliver(output, 'f', 'ours')).toBe('kept')
    expect(await deliver(output, 'link', 'ours')).toBe('kept')
    expect(await deliver(output, 'f', 'newer', 2)).toBe('kept')
    expect(await files(root)).toEqual({f: 'theirs', link: '(no file)'})
    expect(await leftOvers(root)).toEqual([])
  })

  it('keeps what was changed since it was delivered', async () => {
    const output = await open('keep')
    await deliver(output, 'f', 'one', 1)
    await put(output.root, 'f', 'one, and a note')
    expect(await deliver(output, 'f', 'two', 2)).toBe('kept')
    await put(output.root, 'f', 'ono')
    expect(await deliver(output, 'f', 'two', 2)).toBe('kept')
    expect(await files(output.root)).toEqual({f: 'ono'})
  })

  it('holds a file whose name a directory has: that is no file to be kept', async () => {
    const output = await open('keep')
    await mkdir(path.join(output.root, 'f'))
    await expect(deliver(output, 'f', 'ours')).rejects.toMatchObject({code: 'FILE_NAME_CONFLICT'})
  })
})

describe('--on-conflict fail', () => {
  it.each([
    ['a file of somebody else', (root: string) => put(root, 'f', 'theirs')],
    ['a link', (root: string) => symlink('nowhere', path.join(root, 'f'))],
    ['a directory', (root: string) => mkdir(path.join(root, 'f'))],
  ])('refuses over %s, and delivers when it is gone', async (_, take) => {
    const output = await open('fail')
    const {root} = output
    await take(root)
    await expect(deliver(output, 'f', 'ours')).rejects.toMatchObject({
      code: 'FILE_EXISTS',
      exitCode: 4,
      message: `${path.join(root, 'f')} is there already, and was not delivered by streamtool.`,
    })
    expect(await leftOvers(root)).toEqual([])
    await rm(path.join(root, 'f'), {recursive: true})
    expect(await deliver(output, 'f', 'ours')).toBe('delivered')
  })

  it('refuses over its own file that was changed, and says so', async () => {
    const output = await open('fail')
    await deliver(output, 'f', 'one', 1)
    await put(output.root, 'f', 'changed')
    const refused = deliver(output, 'f', 'two', 2)
    await expect(refused).rejects.toMatchObject({
      code: 'FILE_EXISTS',
      message: expect.stringContaining('was changed since it was delivered') as string,
    })
    expect(await files(output.root)).toEqual({f: 'changed'})
  })
})

describe('--on-conflict rename', () => {
  it('delivers beside a file of somebody else, a link, and a directory, and says where', async () => {
    const output = await open('rename')
    const {root, log} = output
    await put(root, 'run.tar.gz', 'theirs')
    await symlink('nowhere', path.join(root, '.profile'))
    await mkdir(path.join(root, 'd'))
    for (const file of ['run.tar.gz', '.profile', 'd']) {
      expect(await deliver(output, file, 'ours')).toBe('delivered')
    }
    expect(await files(root)).toEqual({
      '.profile': '(no file)',
      '.profile (2)': 'ours',
      d: '(no file)',
      'd (2)': 'ours',
      'run.tar (2).gz': 'ours',
      'run.tar.gz': 'theirs',
    })
    expect(log.entries).toHaveLength(3)
    expect(log.entries[0]!.message).toBe(
      `run.tar.gz is delivered as ${path.join(root, 'run.tar (2).gz')}, since another file has its name.`,
    )
  })

  it('remembers where: newer generations go there, and the same one comes no second time', async () => {
    let output = await open('rename')
    const {root} = output
    await put(root, 'f', 'theirs')
    await put(root, 'f (2)', 'theirs too')
    expect(await deliver(output, 'f', 'one', 1)).toBe('delivered')
    output = await reopened(output, 'rename')
    expect(await deliver(output, 'f', 'one', 1)).toBe('unchanged')
    expect(await deliver(output, 'f', 'two', 2)).toBe('delivered')
    expect(await deliver(output, 'f', 'one', 1)).toBe('superseded')
    expect(await files(root)).toEqual({f: 'theirs', 'f (2)': 'theirs too', 'f (3)': 'two'})
  })

  it('begins another copy when the last one was changed, and takes its own name when that is free', async () => {
    const output = await open('rename')
    const {root} = output
    await put(root, 'f', 'theirs')
    await deliver(output, 'f', 'one', 1)
    await put(root, 'f (2)', 'one, and a note')
    expect(await deliver(output, 'f', 'two', 2)).toBe('delivered')
    await rm(path.join(root, 'f'))
    await rm(path.join(root, 'f (3)'))
    expect(await deliver(output, 'f', 'three', 3)).toBe('delivered')
    expect(await files(root)).toEqual({f: 'three', 'f (2)': 'one, and a note'})
  })

  it('goes another name further when a file of that name comes from the topic too', async () => {
    const output = await open('rename')
    const {root} = output
    await put(root, 'f', 'theirs')
    const all = await Promise.all([
      deliver(output, 'f', 'ours'),
      deliver(output, 'f (2)', 'of that name'),
      deliver(output, 'f (2) (2)', 'and so on'),
    ])
    expect(all).toEqual(['delivered', 'delivered', 'delivered'])
    const found = Object.values(await files(root))
    expect(found.sort()).toEqual(['and so on', 'of that name', 'ours', 'theirs'])
  })

  it('makes no third copy after a process was killed when it had put one beside', async () => {
    const root = await temporaryDirectory()
    await put(root, 'f', 'theirs')
    const args = [root, 'rename', 'f', 'ours', '1', 'after-rename']
    await runTestChild('test/unit/adapters/files/children/deliver-once.ts', args).ended
    const expected = {f: 'theirs', 'f (2)': 'ours'}
    expect(await files(root)).toEqual(expected)
    const output = await open('rename', root)
    expect(await deliver(output, 'f', 'ours', 1)).toBe('unchanged')
    expect(await files(root)).toEqual(expected)
    expect(await deliver(output, 'f', 'newer', 2)).toBe('delivered')
    expect(await files(root)).toEqual({f: 'theirs', 'f (2)': 'newer'})
  }, 60_000)

  it('never touches what is not its own, whatever is done in between', async () => {
    const act = fc.oneof(
      fc.record({what: fc.constant('deliver' as const), generation: fc.integer({min: 1, max: 4})}),
      fc.record({what: fc.constant('write' as const), copy: fc.integer({min: 0, max: 3})}),
      fc.record({what: fc.constant('restart' as const)}),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(act, {maxLength: 12}), async (acts) => {
        let output = await open('rename')
        const {root} = output
        const theirs = new Map<string, string>()
        for (const [turn, each] of acts.entries()) {
          if (each.what === 'restart') output = await reopened(output, 'rename')
          else if (each.what === 'deliver')
            await deliver(output, 'f', `generation ${each.generation}`, each.generation)
          else {
            const name = each.copy === 0 ? 'f' : `f (${each.copy + 1})`
            await put(root, name, `theirs ${turn}`)
            theirs.set(name, `theirs ${turn}`)
          }
        }
        const found = await files(root)
        for (const [name, text] of theirs) expect(found[name]).toBe(text)
        const ours = Object.entries(found).filter(([name]) => !theirs.has(name))
        expect(ours.length).toBeLessThanOrEqual(1)
        await output.destination.close()
      }),
      {numRuns: 40},
    )
  })
})

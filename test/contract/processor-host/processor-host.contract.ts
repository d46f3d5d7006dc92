/** What every host of a JavaScript processor must do. */
import {createHash, randomBytes} from 'node:crypto'
import {setTimeout as delay} from 'node:timers/promises'
import {describe, expect, it, onTestFinished} from 'vitest'
import type {StreamtoolError} from '../../../src/core/errors.js'
import type {StagedFile} from '../../../src/core/ports/index.js'
import {fileInfo} from '../../support/processed-file.js'
import type {HostChoices, HostUnderTest} from '../../support/processor-host.js'
import {stagedFile, stagedInMemory} from '../../support/staged-file.js'
import {temporaryDirectory} from '../../support/temporary-directory.js'

const never = () => new AbortController().signal
const CONTENT = randomBytes(3 * 1024 * 1024 + 5)

export function processorHostContract(
  name: string,
  open: (choices: HostChoices) => Promise<HostUnderTest>,
): void {
  const begun = async (choices: Partial<HostChoices> = {}): Promise<HostUnderTest> => {
    const under = await open({outputDir: await temporaryDirectory(), ...choices})
    onTestFinished(() => under.host.close())
    await under.host.start()
    return under
  }
  /** One attempt on a file of that name. */
  const attempt = (
    {host}: HostUnderTest,
    path: string,
    signal = never(),
    content: StagedFile = stagedInMemory(CONTENT),
  ) => host.process(fileInfo(path, CONTENT), content, signal)
  const failure = async (attempting: Promise<unknown>) => {
    const thrown: unknown = await attempting.then(
      () => null,
      (error: unknown) => error,
    )
    expect(thrown).toBeInstanceOf(Error)
    return thrown as StreamtoolError
  }
  const said = (under: HostUnderTest, text: string) =>
    expect.poll(() => under.notes(), {timeout: 5_000}).toContain(text)

  describe(`processor host: ${name}`, () => {
    it('gives the same bytes from memory and from disk, by bytes, by stream, and by path', async () => {
      const under = await begun()
      const onDisk = await stagedFile(await temporaryDirectory(), 'hash.bin', CONTENT)
      const both: StagedFile = {...onDisk, content: CONTENT}
      for (const content of [stagedInMemory(CONTENT), onDisk, both])
        await attempt(under, 'hash.bin', never(), content)
      const sha = createHash('sha256').update(CONTENT).digest('hex')
      const inMemory = {bytes: sha, isBuffer: true, stream: sha, local: null}
      const local = {...inMemory, local: sha}
      expect(under.sink.returnedValues).toEqual([inMemory, local, local])
    })

    it('gives an empty file', async () => {
      const under = await begun()
      const empty = Buffer.alloc(0)
      await under.host.process(fileInfo('hash.bin', empty), stagedInMemory(empty), never())
      const sha = createHash('sha256').digest('hex')
      expect(under.sink.returnedValues).toEqual([{bytes: sha, isBuffer: true, stream: sha, local: null}])
    })

    it('a processor that writes into what it was given spoils nothing for the next attempt', async () => {
      const under = await begun()
      const content = Buffer.from(CONTENT)
      await attempt(under, 'spoil.bin', never(), stagedInMemory(content))
      expect(content.equals(CONTENT)).toBe(true)
    })

    it('tells all facts of the file and of the run', async () => {
      const under = await begun()
      const facts = {mtime: new Date(5_000), attempt: 3, metadata: {type: 'xrd'}, idempotencyKey: 'key'}
      await under.host.process(
        fileInfo('run-7/facts.csv', 'abc', facts),
        stagedInMemory(Buffer.from('abc')),
        never(),
      )
      expect(under.sink.returnedValues).toEqual([
        {
          path: 'run-7/facts.csv',
          subdir: 'run-7',
          name: 'facts.csv',
          size: 3,
          isDate: true,
          attempt: 3,
          metadata: {type: 'xrd'},
          idempotencyKey: 'key',
          options: {threshold: 5},
          outputDir: under.outputDir,
        },
      ])
    })

    const failures = {
      'throws.bin': 'no peak found',
      'rejects.bin': 'no detector',
      'returnsError.bin': 'no such angle',
      'throwsText.bin': "it threw 'just a text'",
      'rejectsNothing.bin': 'it threw undefined',
    }
    it("a failure is the file's, in the processor's words, and nobody else's", async () => {
      const under = await begun()
      for (const [path, message] of Object.entries(failures)) {
        const error = await failure(attempt(under, path))
        expect(error).toMatchObject({code: 'PROCESSING_FAILED', exitCode: 4})
        expect(error.message).toContain(`obedient failed on ${path}: ${message}`)
        if (path === 'throws.bin') expect(error.message).toMatch(/\(at .*obedient\.mjs:\d+:\d+\)/)
      }
      expect(under.sink.returnedValues).toEqual([])
      await attempt(under, 'none.bin')
    })

    it('an attempt that is told to stop rejects with the reason', async () => {
      const under = await begun()
      const controller = new AbortController()
      const attempting = attempt(under, 'heeds.bin', controller.signal)
      await said(under, 'begun')
      controller.abort(new Error('no longer ours'))
      expect(await failure(attempting)).toMatchObject({message: 'no longer ours'})
    })

    it('a processor that returns because it was told to stop has not succeeded', async () => {
      const under = await begun()
      const controller = new AbortController()
      const attempting = attempt(under, 'givesUp.bin', controller.signal)
      await said(under, 'begun')
      controller.abort(new Error('too long'))
      expect(await failure(attempting)).toMatchObject({message: 'too long'})
      expect(under.sink.returnedValues).toEqual([])
    })

    it('one that does not heed the signal gives its place free, and is named', async () => {
      const under = await begun({concurrency: 1})
      const controller = new AbortController()
      const attempting = attempt(under, 'deaf.bin', controller.signal)
      await said(under, 'begun')
      controller.abort(new Error('too long'))
      expect(await failure(attempting)).toMatchObject({message: 'too long'})
      expect(under.log.entries).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          facts: expect.objectContaining({file: 'deaf.bin'}) as object,
        }),
      )
      await attempt(under, 'none.bin')
    })

    it('a signal that is aborted already begins nothing', async () => {
      const under = await begun()
      await failure(attempt(under, 'locks.bin', AbortSignal.abort(new Error('too late'))))
      expect(await under.notes()).toEqual(['setup'])
    })

    it('the lock is held by one at a time', async () => {
      const under = await begun()
      const names = ['locks-1.bin', 'locks-2.bin', 'locks-3.bin', 'locks-4.bin']
      await Promise.all(names.map((path) => attempt(under, path)))
      const notes = (await under.notes()).filter((line) => line !== 'setup')
      expect(notes).toHaveLength(8)
      for (let at = 0; at < notes.length; at += 2)
        expect(notes[at + 1]).toBe(notes[at]!.replace('in ', 'out '))
    })

    it('a lock inside of the lock is told, and a failure in it gives it back', async () => {
      const under = await begun()
      expect((await failure(attempt(under, 'nestedLocks.bin'))).message).toContain('inside of context.lock')
      expect((await failure(attempt(under, 'failsInLock.bin'))).message).toContain('failed in the lock')
      await attempt(under, 'locks.bin')
    })

    it('what it produces is sent as it was given', async () => {
      const under = await begun()
      await attempt(under, 'produces.bin')
      const [first, second] = under.sink.produced.map(({record}) => record)
      expect(first).toMatchObject({key: 'k', headers: {h: 'x'}})
      const json = typeof first!.value === 'string' ? first!.value : JSON.stringify(first!.value)
      expect(json).toBe('{"angle":3,"when":"1970-01-01T00:00:00.000Z"}')
      expect(second!.topic).toBe('other')
      expect(Buffer.from(second!.key as Buffer).toString()).toBe('b')
      expect(Buffer.isBuffer(second!.value) && second!.value.equals(Buffer.from([1, 2]))).toBe(true)
    })

    it('what it produces without awaiting is waited for', async () => {
      const under = await begun()
      await attempt(under, 'producesUnawaited.bin')
      expect(under.sink.produced.map(({record}) => record.value)).toEqual(['a', 'b', 'c'])
    })

    it('a result that is refused fails the attempt, whoever caught that', async () => {
      const under = await begun()
      const error = await failure(attempt(under, 'refusedUnawaited.bin'))
      expect(error.code).toBe('PROCESSING_FAILED')
      expect(error.message).toContain('It was refused.')
    })

    it('a returned value that is no JSON fails where it is written, if it is', async () => {
      const under = await begun()
      await attempt(under, 'circular.bin')
      expect(() => JSON.stringify(under.sink.returnedValues[0])).toThrow(/circular/i)
    })

    it('log lines name the processor, the file and the attempt', async () => {
      const under = await begun()
      await attempt(under, 'logs.bin')
      const facts = {processor: 'obedient', file: 'logs.bin', attempt: 1}
      expect(under.log.entries).toContainEqual({
        level: 'info',
        message: 'a word',
        facts: {angle: 3, ...facts},
      })
      expect(under.log.entries).toContainEqual({level: 'warn', message: 'a warning', facts})
    })

    it('files are processed side by side', async () => {
      const under = await begun()
      const controllers = [new AbortController(), new AbortController()]
      const attempts = controllers.map(({signal}, at) => failure(attempt(under, `heeds-${at}.bin`, signal)))
      await expect.poll(() => under.notes(), {timeout: 10_000}).toEqual(expect.arrayContaining(['begun']))
      await expect
        .poll(async () => (await under.notes()).filter((line) => line === 'begun').length, {timeout: 10_000})
        .toBe(2)
      for (const controller of controllers) controller.abort(new Error('enough'))
      await Promise.all(attempts)
    })

    it('failed and mismatched are told, and what goes wrong in them is logged', async () => {
      const under = await begun()
      const error = await failure(attempt(under, 'throws.bin'))
      await under.host.failed(fileInfo('throws.bin', '', {attempt: 2}), error, never())
      await under.host.mismatched(fileInfo('mismatch.bin'), never())
      expect(await under.notes()).toEqual(
        expect.arrayContaining(['failed throws.bin 2 Error: no peak found', 'mismatched mismatch.bin']),
      )
      expect(under.sink.produced.map(({path}) => path)).toEqual(['mismatch.bin'])
      await under.host.failed(fileInfo('failed-fails.bin'), error, never())
      expect(under.log.entries.map(({message}) => message).join()).toContain('failed failed')
    })

    it('a setup that fails is told as such', async () => {
      const under = await open({outputDir: await temporaryDirectory(), options: {setupFails: true}})
      onTestFinished(() => under.host.close())
      const error = await failure(under.host.start())
      expect(error).toMatchObject({code: 'PLUGIN_SETUP_FAILED', exitCode: 7, endsRun: true})
      expect(error.message).toContain('obedient could not be set up: no licence')
    })

    it('teardown comes once, at the end', async () => {
      const under = await begun()
      await attempt(under, 'none.bin')
      await under.host.close()
      await delay(50)
      expect(await under.notes()).toEqual(['setup', 'teardown'])
    })
  })
}

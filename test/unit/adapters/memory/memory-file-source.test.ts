import {describe, expect, it} from 'vitest'
import {createMemoryFileSource} from '../../../../src/adapters/memory/memory-file-source.js'
import type {SourceFile, SourceProblem} from '../../../../src/core/ports/index.js'

describe('a memory file source', () => {
  it('lists the problems it was given beside its files', async () => {
    const source = createMemoryFileSource({b: Buffer.from('x'), a: Buffer.from('y')})
    const problem: SourceProblem = {localPath: 'p', path: null, code: 'PATH_UNSENDABLE', reason: 'why'}
    source.addProblem(problem)
    const listed: (SourceFile | SourceProblem)[] = []
    for await (const item of source.list()) listed.push(item)
    expect(listed[0]).toBe(problem)
    expect(listed.slice(1).map(({path}) => path)).toEqual(['a', 'b'])
  })

  it('counts readers that were not closed', async () => {
    const source = createMemoryFileSource({a: Buffer.from('x')})
    for await (const item of source.list()) {
      if ('code' in item) throw new Error(item.reason)
      const reader = await item.open()
      expect(source.openReaders).toBe(1)
      await reader.close()
      await reader.close()
    }
    expect(source.openReaders).toBe(0)
  })
})

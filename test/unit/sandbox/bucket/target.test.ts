import {describe, expect, it} from 'vitest'
import {integerInQuery, parseTarget} from '../../../../src/sandbox/bucket/target.js'

describe('the target of a request', () => {
  it.each([
    ['/', null, null],
    ['/b', 'b', null],
    ['/b/', 'b', null],
    ['/b/k', 'b', 'k'],
    ['/b/a%20b/%C3%BC+%2B/', 'b', 'a b/ü++/'],
    ['/b//k', 'b', '/k'],
    ['/b/../k', 'b', '../k'],
  ])('%s names bucket and key', (url, bucket, key) => {
    expect(parseTarget(url)).toMatchObject({bucket, key})
  })

  it('has a query', () => {
    const {query} = parseTarget('/b?uploads&prefix=a%2Fb+c&marker=')
    expect([...query]).toEqual([
      ['uploads', ''],
      ['prefix', 'a/b c'],
      ['marker', ''],
    ])
  })

  it.each([
    ['*', 'InvalidURI'],
    ['http://127.0.0.1/b/k', 'InvalidURI'],
    ['/b/%zz', 'InvalidURI'],
    ['/b/%ff', 'InvalidURI'],
    ['/b?a=%', 'InvalidURI'],
    ['/b?a=1&a=2', 'InvalidArgument'],
    [`/b/${'k'.repeat(1025)}`, 'KeyTooLongError'],
    [`/b/${'%C3%BC'.repeat(513)}`, 'KeyTooLongError'],
  ])('%s is refused', (url, code) => {
    expect(() => parseTarget(url)).toThrow(expect.objectContaining({code}))
  })

  it.each(['-1', '1e3', '0x10', '1.5', '99999999999999999', '11'])('has no number %s', (text) => {
    const query = new Map([['n', text]])
    const bounds = {min: 1, max: 10}
    expect(() => integerInQuery(query, 'n', bounds)).toThrow(
      expect.objectContaining({code: 'InvalidArgument'}),
    )
  })
})

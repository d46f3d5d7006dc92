import {describe, expect, it} from 'vitest'
import {readProperties} from '../../../../src/cli/spring/application-properties.js'

const read = (text: string) => Object.fromEntries(readProperties(text))

describe('the text of application.properties', () => {
  it.each<[string, Record<string, string>]>([
    ['a=1\nb: 2\nc 3\n  d  =  4 ', {a: '1', b: '2', c: '3', d: '4 '}],
    ['# a=1\n! b=2\n\n   \nc=3', {c: '3'}],
    ['a=one,\\\n   two', {a: 'one,two'}],
    ['a=ends in a backslash\\\\\nb=2', {a: 'ends in a backslash\\', b: '2'}],
    ['a\\ b\\=c=d', {'a b=c': 'd'}],
    ['a=\\u00fc\\t\\:', {a: 'ü\t:'}],
    ['a=x=y==', {a: 'x=y=='}],
    ['a', {a: ''}],
    ['a=1\r\na=2\r\n', {a: '2'}],
    ['\uFEFFINSTANCE_INDEX=3', {INSTANCE_INDEX: '3'}],
    ['a=1\n#---\na=2\nb=2\n#---\nspring.config.activate.on-profile=prod\na=3', {a: '2', b: '2'}],
    ['a=unfinished\\', {a: 'unfinished'}],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual(expected)
  })
})

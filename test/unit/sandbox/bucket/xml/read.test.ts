import {describe, expect, it} from 'vitest'
import {childrenNamed, childText, parseXml} from '../../../../../src/sandbox/bucket/xml/read.js'

const malformed = {code: 'MalformedXML'}

describe('XML in a request', () => {
  it('is elements and text', () => {
    const text = `\uFEFF<?xml version="1.0" encoding="UTF-8"?>
      <!-- from a client -->
      <Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
        <Quiet>true</Quiet><Object><Key>a &amp; b&#x20;&#233; &lt;</Key></Object><Object  id='1' ><Key/></Object >
      </Delete>
    `
    const root = parseXml(text, 'Delete')
    expect(childText(root, 'Quiet')).toBe('true')
    expect(childrenNamed(root, 'Object').map((object) => childText(object, 'Key'))).toEqual(['a & b é <', ''])
    expect(childText(root, 'Other')).toBeUndefined()
  })

  it.each([
    ['nothing', ''],
    ['no XML', 'hello'],
    ['another root', '<Other/>'],
    ['two roots', '<A/><A/>'],
    ['text beside the root', '<A/>x'],
    ['an element that is not closed', '<A><B></A>'],
    ['an element that is closed twice', '<A></A></A>'],
    ['a doctype', '<!DOCTYPE A [<!ENTITY a "b">]><A>&a;</A>'],
    ['an entity that nobody declared', '<A>&b;</A>'],
    ['an ampersand alone', '<A>a & b</A>'],
    ['a character that is none', '<A>&#x110000;</A>'],
    ['CDATA', '<A><![CDATA[x]]></A>'],
    ['an instruction', '<A><?php x ?></A>'],
    ['a comment without an end', '<A/><!-- x'],
    ['attributes on an end', '<A></A b="c">'],
    ['an element for every level', '<A>'.repeat(20) + '</A>'.repeat(20)],
    ['more elements than any request has', `<A>${'<b/>'.repeat(100_001)}</A>`],
    ['a name without end', `<${'a'.repeat(100_000)}`],
    ['an attribute without end', `<A b="${'c'.repeat(1_000_000)}`],
    ['spaces without end', `<A${' '.repeat(1_000_000)}`],
    ['attributes without end', `<A${' b="c"'.repeat(1_000_000)}>`],
    ['a comment as long as there may be', `<A/><!--${'-'.repeat(4_000_000)}`],
  ])('is refused when it is %s', (_, text) => {
    const started = process.cpuUsage()
    expect(() => parseXml(text, 'A')).toThrow(expect.objectContaining(malformed))
    // Not the clock: a machine that has other things to do is no regular expression that backtracks.
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000)
  })

  it('has an element once where there is to be one', () => {
    const root = parseXml('<A><B>1</B><B>2</B></A>', 'A')
    expect(() => childText(root, 'B')).toThrow(expect.objectContaining(malformed))
  })
})

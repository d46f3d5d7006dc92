import {describe, expect, it} from 'vitest'
import {Screen} from '../../../../src/cli/output/screen.js'

/** As much of a terminal as the renderer uses: lines, cursor up, erase line and erase below. */
function terminal() {
  const lines = ['']
  let row = 0
  const write = (text: string) => {
    for (const part of text.match(/\u001b\[[?0-9]*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g) ?? []) {
      const up = /^\u001b\[(\d+)A$/.exec(part)
      if (part === '\n') lines[++row] ??= ''
      else if (up !== null) row -= Number(up[1])
      else if (part === '\u001b[2K') lines[row] = ''
      else if (part === '\u001b[0J') lines.splice(row, lines.length, '')
      else if (!part.startsWith('\u001b') && part !== '\r') lines[row] = `${lines[row] ?? ''}${part}`
    }
    return true
  }
  return {write, isTTY: true, columns: 80, rows: 24, text: () => lines.join('\n')}
}

const erased = (count: number) => '\u001b[2K\u001b[1A'.repeat(count - 1) + '\u001b[2K\u001b[G'

describe('the screen', () => {
  it('prints lines above the live region, which stays at the bottom', () => {
    const shown = terminal()
    const screen = new Screen(shown)
    screen.print('before')
    screen.live.write('\u001b[?25l')
    screen.live.write('frame 1\n › file\n')
    screen.print('log line')
    expect(shown.text()).toBe('before\nlog line\nframe 1\n › file\n')
    screen.live.write(`${erased(3)}frame 2\n`)
    screen.print('another')
    expect(shown.text().trimEnd()).toBe('before\nlog line\nanother\nframe 2')
    screen.settle()
    screen.print('after')
    expect(shown.text().trimEnd()).toBe('before\nlog line\nanother\nframe 2\nafter')
  })

  it('does the same for results on a stdout that is the same terminal', () => {
    const shown = terminal()
    const screen = new Screen(shown)
    screen.live.write('frame\n')
    screen.print('{"event":1}', shown)
    expect(shown.text()).toBe('{"event":1}\nframe\n')
  })
})

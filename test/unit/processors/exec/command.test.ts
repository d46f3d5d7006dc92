import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {parseExec} from '../../../../src/processors/exec/command.js'
import {
  factsOf,
  inheritedEnvironment,
  PLACEHOLDERS,
  variablesOf,
} from '../../../../src/processors/exec/facts.js'
import {fileInfo} from '../../../support/processed-file.js'

const plain = (template: string) => parseExec(template, {shell: false})
const facts = (path: string) =>
  factsOf(fileInfo(path, 'content'), `/stage/1/${path.split('/').at(-1)!}`, '/out')

/** No NUL, no slash: what a component of a path on a topic may be. */
const hostileName = fc
  .oneof(
    fc.constantFrom(
      '-rf',
      '--',
      '--help',
      ' ',
      'a b',
      `it's`,
      '"',
      '\\',
      '$(reboot)',
      '`x`',
      '{name}',
      '{path}',
      'a\nb',
      '*',
      ';',
      '|',
    ),
    fc.string({unit: 'binary', minLength: 1}),
  )
  .map((name) => name.replace(/[/\0]/g, '_'))
  .filter((name) => !['', '.', '..'].includes(name))

describe('parseExec', () => {
  it('fills in what it knows of the file', () => {
    const command = plain(
      `prog --in={path} '{name} of {subdir}' {topic} {size} {sha512} {attempt} {output}/{relative_path}`,
    )
    const file = fileInfo('run 1/a b.csv', 'content')
    expect(command.argumentsFor(factsOf(file, '/stage/a b.csv', '/out'))).toEqual([
      '--in=/stage/a b.csv',
      'a b.csv of run 1',
      'files',
      '7',
      file.sha512,
      '1',
      '/out/run 1/a b.csv',
    ])
    expect(command.takesPath).toBe(true)
  })

  it('leaves braces that are no placeholder as they are', () => {
    const command = plain(`awk '{print $1} {{name}}' '{a: {b}}}'`.replace('{b}', '{"b": 1}'))
    expect(command.argumentsFor(facts('x'))).toEqual(['{print $1} {name}', '{a: {"b": 1}}}'])
    expect(command.takesPath).toBe(false)
  })

  it('takes no name apart, and lets none become an option or another argument', () => {
    const words = ['{path}', 'x{name}', '--name={name}', '--', '{name}', '{subdir}', '{relative_path}']
    const command = plain(`prog ${words.join(' ')}`)
    fc.assert(
      fc.property(hostileName, hostileName, (subdir, name) => {
        const path = `${subdir}/${name}`
        expect(command.argumentsFor(facts(path))).toEqual([
          ...[`/stage/1/${name}`, `x${name}`, `--name=${name}`, '--', name, subdir, path],
        ])
      }),
    )
  })

  it('does not run a program with a name that it would take for an option', () => {
    expect(() => plain('prog {name}').argumentsFor(facts('run/-rf'))).toThrow(
      expect.objectContaining({
        code: 'PROCESSING_FAILED',
        message: expect.stringContaining('for an option') as string,
      }),
    )
    expect(plain('prog {name}').argumentsFor(facts('run/rf'))).toEqual(['rf'])
    expect(plain('prog -- {name}').argumentsFor(facts('run/-rf'))).toEqual(['--', '-rf'])
    expect(plain('prog {path}').argumentsFor(facts('run/-rf'))).toEqual(['/stage/1/-rf'])
  })

  it.each([
    ['nothing', ' ', /names no program/],
    ['a placeholder that is unknown', 'prog {pth}', /nothing is known to fill in for \{pth\}/],
    ['the placeholder of other programs', 'wc -c {}', /nothing is known to fill in for \{\}/],
    ['a program that depends on the file', '{path} --run', /must not depend on the file/],
    ['a shell inside', `sh -c 'wc {path}'`, /is code for sh/],
    ['a shell further inside', `env -i bash -lc 'wc {path}'`, /is code for env/],
    ['code for Python', `python3 -c 'open("{path}")'`, /is code for python3/],
    ['code for Node', `/usr/bin/node --eval '{name}'`, /is code for/],
  ])('refuses %s', (_, template, message) => {
    expect(() => plain(template)).toThrow(message)
  })

  it.each([`python3 tool.py -e {name}`, `grep -c x {path}`, `sh -c 'wc "$STREAMTOOL_FILE_PATH"'`])(
    'accepts %s',
    (template) => expect(plain(template).program).toBe(template.split(' ')[0]),
  )

  it.each([
    ['python3 analyse.py {path}', 'python3-analyse'],
    ['python3 -u /opt/My Tools/plot.py', 'python3-my'],
    ['/usr/bin/wc -c {path}', 'wc'],
    ['./Réduire.sh {path}', 'r-duire'],
    ['「」', 'exec'],
  ])('%s is called %s', (template, name) => expect(plain(template).name).toBe(name))

  describe('for a shell', () => {
    const shell = (command: string) => parseExec(command, {shell: true})

    it('is handed on as it stands', () => {
      const command = shell(`awk '{print}' | wc -c > "$STREAMTOOL_FILE_OUTPUT_DIR/n"`)
      expect(command.argumentsFor(facts('$(reboot)'))).toEqual([
        '-c',
        `awk '{print}' | wc -c > "$STREAMTOOL_FILE_OUTPUT_DIR/n"`,
      ])
      expect(command.takesPath).toBe(false)
      expect(shell('wc "$STREAMTOOL_FILE_PATH"').takesPath).toBe(true)
    })

    it.each(PLACEHOLDERS)('has nothing filled in for {%s}', (name) => {
      expect(() => shell(`wc "{${name}}"`)).toThrow(/with --exec-shell nothing is filled in/)
    })
  })
})

describe('the environment', () => {
  it('has the facts of the file under names of their own', () => {
    const file = fileInfo('run/a.csv', 'content', {
      mtime: new Date('2026-01-02T03:04:05.6Z'),
      attempt: 2,
      metadata: {'content-type': 'text/csv', 'Content.Type': 'other', operator: 'Zoë\0'},
    })
    expect(variablesOf(factsOf(file, '/stage/a.csv', '/out'), file.metadata)).toEqual({
      STREAMTOOL_FILE_PATH: '/stage/a.csv',
      STREAMTOOL_FILE_RELATIVE_PATH: 'run/a.csv',
      STREAMTOOL_FILE_SUBDIR: 'run',
      STREAMTOOL_FILE_NAME: 'a.csv',
      STREAMTOOL_FILE_TOPIC: 'files',
      STREAMTOOL_FILE_SIZE: '7',
      STREAMTOOL_FILE_SHA512: file.sha512,
      STREAMTOOL_FILE_MTIME: '2026-01-02T03:04:05.600Z',
      STREAMTOOL_FILE_CHUNKS: '1',
      STREAMTOOL_FILE_ATTEMPT: '2',
      STREAMTOOL_FILE_OUTPUT_DIR: '/out',
      STREAMTOOL_FILE_IDEMPOTENCY_KEY: file.idempotencyKey,
      STREAMTOOL_FILE_META_CONTENT_TYPE: 'text/csv',
      STREAMTOOL_FILE_META_OPERATOR: 'Zoë',
    })
  })

  it('names no local path when there is none', () => {
    expect(variablesOf(factsOf(fileInfo('a'), '', '/out'), {})).not.toHaveProperty('STREAMTOOL_FILE_PATH')
  })

  it('has nothing else of streamtool, and everything else', () => {
    const environment = {
      PATH: '/bin',
      STREAMTOOL_SASL_PASSWORD: 's',
      STREAMTOOL_FILE_META_X: 'of a parent',
      HOME: '/h',
    }
    expect(inheritedEnvironment(environment)).toEqual({PATH: '/bin', HOME: '/h'})
  })
})

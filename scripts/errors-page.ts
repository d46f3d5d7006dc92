/** docs/errors.md, made from the table of errors in the core. */
import {EXIT_CODES} from '../src/cli/help/sections.js'
import {ERROR_KINDS, EXIT_PRECEDENCE} from '../src/core/errors.js'

export function errorsPage(): string {
  return [
    '# Errors and exit codes',
    '',
    '<!-- Made by `npm run docs` from src/core/errors.ts; do not edit. -->',
    '',
    'The exit code is the same with and without `--json`. Match on `code`, which is stable; the message is for people.',
    'With `--json` stdout gets this object and nothing else; with `--events` the `finished` event carries `error`.',
    '',
    '```json',
    '{"schema": 1, "command": "upload", "error": {"code": "…", "message": "…", "exitCode": 3, "suggestions": ["…"]}}',
    '```',
    '',
    '| exit code | meaning |',
    '|---|---|',
    ...EXIT_CODES.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    '',
    `When several apply, the first of ${EXIT_PRECEDENCE.filter((code) => code !== 0).join(', ')} is taken.`,
    'Records that are no chunks do not change the exit code.',
    ...EXIT_CODES.flatMap(([exitCode]) => section(exitCode)),
    '',
  ].join('\n')
}

function section(exitCode: number): string[] {
  const kinds = Object.entries(ERROR_KINDS).filter(([, kind]) => kind.exitCode === exitCode)
  if (kinds.length === 0) return []
  return [
    '',
    `## Exit code ${exitCode}`,
    '',
    '| code | meaning | may pass by itself |',
    '|---|---|---|',
    ...kinds.map(([code, kind]) => `| \`${code}\` | ${kind.meaning} | ${'retriable' in kind ? 'yes' : ''} |`),
  ]
}

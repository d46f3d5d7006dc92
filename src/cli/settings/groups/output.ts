/** Where a command tells what it does, and how loudly. Every command has these. */
import {choice, path, toggle} from '../setting.js'

export const outputSettings = {
  config: path({
    group: 'OUTPUT',
    placeholder: 'FILE',
    summary: 'Configuration file to use instead of searching for one',
  }),
  json: toggle({
    group: 'OUTPUT',
    summary: 'Print one JSON object on stdout at the end',
    default: 'false',
    common: true,
  }),
  events: toggle({
    group: 'OUTPUT',
    summary: 'Print one JSON object a line on stdout as things happen',
    default: 'false',
    common: true,
  }),
  progress: choice(['auto', 'plain', 'none'], {
    group: 'OUTPUT',
    summary: 'Progress on stderr: drawn on a terminal, else a line every few seconds',
    default: 'auto',
    common: true,
  }),
  logLevel: choice(['debug', 'info', 'warn', 'error'], {
    group: 'OUTPUT',
    summary: 'What is worth saying on stderr',
    default: 'info',
    common: true,
  }),
  logFormat: choice(['text', 'json'], {
    group: 'OUTPUT',
    summary: 'How it is said on stderr',
    default: 'text',
    common: true,
  }),
}

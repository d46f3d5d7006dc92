/** The tables of docs/configuration.md, made from the definitions of the settings. */
import {CATALOG} from '../src/cli/settings/catalog.js'
import {clientOptionTable} from '../src/cli/settings/client-options.js'
import {flagName, keyName, type Setting, variableName} from '../src/cli/settings/setting.js'

/** By the name of the marker they stand behind: `<!-- settings -->` … `<!-- /settings -->`. */
export const TABLES: Readonly<Record<string, () => string>> = {
  settings: settingsTables,
  'client-options': optionsTable,
}

/** The page with its tables made anew. */
export function configurationPage(page: string): string {
  return Object.entries(TABLES).reduce((text, [name, table]) => {
    const marked = new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- /${name} -->)`)
    if (!marked.test(text)) throw new Error(`docs/configuration.md has no place for ${name}`)
    return text.replace(marked, (_, start: string, end: string) => `${start}${table()}${end}`)
  }, page)
}

interface Row {
  readonly name: string
  readonly setting: Setting
  readonly commands: string[]
}

function settingsTables(): string {
  const rows: Row[] = []
  for (const [command, settings] of Object.entries(CATALOG))
    for (const [name, setting] of Object.entries(settings)) {
      const known = rows.find((row) => row.name === name && row.setting === setting)
      if (known === undefined) rows.push({name, setting, commands: [command]})
      else known.commands.push(command)
    }
  const groups = [...new Set(rows.map(({setting}) => setting.group))]
  return groups
    .flatMap((group) => [
      `### ${group.charAt(0)}${group.slice(1).toLowerCase()}`,
      '',
      '| flag | variable | key | what it is | default | commands |',
      '|---|---|---|---|---|---|',
      ...rows.filter(({setting}) => setting.group === group).map(rowText),
      '',
    ])
    .join('\n')
    .trimEnd()
}

function rowText({name, setting, commands}: Row): string {
  const flag = `${setting.char === undefined ? '' : `-${setting.char}, `}${flagName(name)}${setting.placeholder && ` ${setting.placeholder}`}`
  const everywhere = commands.length === Object.keys(CATALOG).length
  const place = setting.common === true ? '' : ' (under the command)'
  return cells([
    `\`${flag}\``,
    `\`${variableName(name)}\``,
    name === 'config' ? '' : `\`${keyName(name)}\`${place}`,
    setting.summary,
    setting.default ?? (setting.required === true ? 'needed' : ''),
    everywhere ? 'all' : commands.join(', '),
  ])
}

function optionsTable(): string {
  return [
    '| client option | stands for |',
    '|---|---|',
    ...clientOptionTable().map(({option, meaning}) => cells([`\`${option}\``, meaning])),
  ].join('\n')
}

const cells = (texts: readonly string[]) =>
  `| ${texts.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`

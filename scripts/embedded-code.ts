/** Pages that show files of the repository as they are: between `<!-- code PATH -->` and `<!-- codestop -->`. */
import {readFile} from 'node:fs/promises'
import {extname} from 'node:path'

export const EMBEDDING = ['writing-a-processor.md', 'writing-a-command.md'] as const

const LANGUAGES: Readonly<Record<string, string>> = {'.ts': 'ts', '.py': 'python'}
const BLOCK = /(<!-- code (\S+) -->\n)[\s\S]*?(<!-- codestop -->)/g

export async function withCode(page: string): Promise<string> {
  const paths = [...page.matchAll(BLOCK)].map(([, , path = '']) => path)
  const files = new Map(await Promise.all(paths.map(async (path) => [path, await fenced(path)] as const)))
  return page.replace(
    BLOCK,
    (_, begin: string, path: string, end: string) => `${begin}${files.get(path)}${end}`,
  )
}

async function fenced(path: string): Promise<string> {
  const code = await readFile(new URL(`../${path}`, import.meta.url), 'utf8')
  return `\`\`\`${LANGUAGES[extname(path)] ?? ''}\n${code}\`\`\`\n`
}

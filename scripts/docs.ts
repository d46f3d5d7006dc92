/** `npm run docs`: makes what in docs/ follows from the code. Tests fail when it is stale. */
import {readFile, writeFile} from 'node:fs/promises'
import {EMBEDDING, withCode} from './embedded-code.js'
import {configurationPage} from './configuration-tables.js'
import {errorsPage} from './errors-page.js'
import {springPage} from './spring-tables.js'

const docs = new URL('../docs/', import.meta.url)
const configuration = new URL('configuration.md', docs)

await writeFile(new URL('errors.md', docs), errorsPage())
await writeFile(configuration, configurationPage(await readFile(configuration, 'utf8')))
for (const name of EMBEDDING) {
  const page = new URL(name, docs)
  await writeFile(page, await withCode(await readFile(page, 'utf8')))
}
const spring = new URL('spring.md', docs)
await writeFile(spring, springPage(await readFile(spring, 'utf8')))

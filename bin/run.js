#!/usr/bin/env node
import module from 'node:module'

// Node 22.1 and later keep compiled code between runs; earlier ones do without.
module.enableCompileCache?.()

// What is piped somewhere is plain text, also where libraries take CI=true for a terminal with colours.
if (!process.stdout.isTTY && process.env.FORCE_COLOR === undefined) process.env.NO_COLOR ??= '1'

// While it is loaded, oclif would read a parser of version ranges, a seventh of what it reads, to find that Node is not
// older than it wants; we want a newer one. Afterwards the variable is gone: programs that we start are not concerned.
const {OCLIF_DISABLE_ENGINE_WARNING: said} = process.env
process.env.OCLIF_DISABLE_ENGINE_WARNING ??= '1'
const {start} = await import('../dist/cli/start.js')
if (said === undefined) delete process.env.OCLIF_DISABLE_ENGINE_WARNING

await start(import.meta.url)

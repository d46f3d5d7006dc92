#!/usr/bin/env node
import module from 'node:module'

// Node 22.1 and later keep compiled code between runs; earlier ones do without.
module.enableCompileCache?.()

// What is piped somewhere is plain text, also where libraries take CI=true for a terminal with colours.
if (!process.stdout.isTTY && process.env.FORCE_COLOR === undefined) process.env.NO_COLOR ??= '1'

const {start} = await import('../dist/cli/start.js')
await start(import.meta.url)

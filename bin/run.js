#!/usr/bin/env node
import module from 'node:module'

// Node 22.1 and later keep compiled code between runs; earlier ones do without.
module.enableCompileCache?.()

const {start} = await import('../dist/cli/start.js')
await start(import.meta.url)

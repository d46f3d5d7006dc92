#!/usr/bin/env node
import module from 'node:module'

// Node 22.1 and later keep compiled code between runs; earlier ones do without.
module.enableCompileCache?.()

const {execute} = await import('@oclif/core')
await execute({dir: import.meta.url})

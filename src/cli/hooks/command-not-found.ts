/** An unknown command is a usage error like any other: exit 2, with the nearest command suggested. */
import type {Hook} from '@oclif/core'
import {unknownCommand} from '../errors/usage.js'
import {earlyOutput} from '../output/early.js'

const hook: Hook.CommandNotFound = async function ({id, argv, config}) {
  const commands = config.commands.filter((command) => !command.hidden).map(({id}) => id.replaceAll(':', ' '))
  const words = id.split(':')
  const known = commands.find((command) => command === words[0])
  const error = unknownCommand(words, commands.sort())
  await earlyOutput(known ?? null, argv ?? [], process.env).fail(error)
  this.exit(error.exitCode)
}

export default hook

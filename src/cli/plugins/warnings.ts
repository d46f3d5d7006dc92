/** A plugin that cannot be loaded is said on stderr, in one line, and is in nobody's way. */

interface PluginWarning extends Error {
  /** oclif writes `plugin: NAME` into it. */
  readonly detail?: string
}

/** oclif hands such trouble to Node's warnings, whose own way of printing is made for programmers. */
export function warnOfBrokenPlugins(argv: readonly string[]): void {
  const others = process.listeners('warning')
  const told = new Set<string>()
  process.removeAllListeners('warning')
  process.on('warning', (warning: PluginWarning) => {
    const trouble = troubleOf(warning)
    if (trouble === null) for (const listener of others) listener.call(process, warning)
    else if (!told.has(trouble.name)) {
      told.add(trouble.name)
      void tell(trouble.name, trouble.reason, argv)
    }
  })
}

/**
 * oclif's two ways to say it: of a plugin that is there, name and reason are in the detail. One that is not there is
 * in the message: an installed one by name, among the options of a search; a linked one by its directory.
 */
function troubleOf({detail = '', message}: PluginWarning): {name: string; reason: string} | null {
  const blamed = /^plugin: (.+)$/m.exec(detail)?.[1]
  if (blamed === undefined) return null
  const sought =
    /could not find package\.json with .*?name: '([^']+)'/s.exec(message)?.[1] ??
    /^ENOENT: .*'(.+)[/\\]package\.json'$/.exec(message)?.[1]
  if (sought !== undefined) return {name: sought, reason: 'it is not where it was installed'}
  const [reason = ''] = (/^message: (.+)$/m.exec(detail)?.[1] ?? message).split('\n')
  return {name: blamed, reason}
}

async function tell(name: string, reason: string, argv: readonly string[]): Promise<void> {
  const {earlyOutput} = await import('../output/early.js')
  earlyOutput(null, argv, process.env).logger.warn(
    `The plugin ${name} cannot be used: ${reason} (\`streamtool plugins uninstall ${name}\` removes it)`,
  )
}

/**
 * cosmiconfig, without its "meta configuration": the public entry point begins by searching the working directory for
 * settings of its own and executes `.config/config.js` there, which in a directory that files are delivered to is
 * somebody else's code. The Explorer class behind it does the searching and loading alone; it is internal, so the
 * package is pinned and a test watches both.
 */
interface Found {
  readonly filepath: string
  readonly config: unknown
  readonly isEmpty?: boolean
}

export interface Explorer {
  /** Looks in this directory only. */
  search(dir: string): Promise<Found | null>
  load(filepath: string): Promise<Found | null>
}

interface ExplorerModule {
  readonly Explorer: new (options: Readonly<Record<string, unknown>>) => Explorer
}

/** @param options.executable whether JavaScript may be loaded, and so run */
export async function newExplorer(
  searchPlaces: readonly string[],
  options: {executable: boolean},
): Promise<Explorer> {
  const [{default: internal}, {default: loaders}] = await Promise.all([
    import('cosmiconfig/dist/Explorer.js') as Promise<unknown> as Promise<{default: ExplorerModule}>,
    import('cosmiconfig/dist/loaders.js'),
  ])
  const {loadJs, loadJson, loadYaml} = loaders
  return new internal.Explorer({
    moduleName: 'streamtool',
    searchPlaces: [...searchPlaces],
    searchStrategy: 'none',
    ignoreEmptySearchPlaces: true,
    cache: false,
    loaders: {
      '.json': loadJson,
      '.yaml': loadYaml,
      '.yml': loadYaml,
      noExt: loadYaml,
      ...(options.executable ? {'.js': loadJs, '.mjs': loadJs, '.cjs': loadJs} : {}),
    },
    transform: (found: Found | null) => found,
    metaConfigFilePath: null,
    mergeImportArrays: true,
    mergeSearchPlaces: false,
    applyPackagePropertyPathToConfiguration: false,
  })
}

/**
 * The layers of docs/architecture.md, as rules. Read them top-down: each names what a folder may import;
 * everything else is refused.
 */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: {path: from},
  to: {path: '^(src|node_modules)/', pathNot: allowed},
})
const CORE_BUILTINS = '^(node:)?(crypto|buffer|zlib)$'

module.exports = {
  forbidden: [
    only('core-stands-alone', '^src/core/', ['^src/core/'], 'the core is pure: no package, no adapter'),
    {
      name: 'core-has-no-io',
      comment: 'of Node itself the core uses only pure functions: hashes, buffers, deflate',
      severity: 'error',
      from: {path: '^src/core/'},
      to: {dependencyTypes: ['core'], pathNot: CORE_BUILTINS},
    },
    only(
      'pipelines-over-ports',
      '^src/pipelines/',
      ['^src/(core|pipelines)/', '^src/processors/contract'],
      'use cases know ports, never adapters',
    ),
    ...['kafka', 'files', 'state', 'memory', 's3', 'http'].map((adapter) =>
      only(
        `adapter-${adapter}-alone`,
        `^src/adapters/${adapter}/`,
        ['^src/core/', `^src/adapters/(${adapter}|system)/`, '^node_modules/'],
        'an adapter implements ports of the core and imports no other adapter, save what wraps this machine',
      ),
    ),
    only('adapter-system-lowest', '^src/adapters/system/', ['^src/(core|adapters/system)/'], ''),
    only('processors-over-core', '^src/processors/', ['^src/(core|processors)/', '^node_modules/'], ''),
    only(
      'testing-over-processors',
      '^src/testing/',
      ['^src/(core|processors|testing)/'],
      'what plugin authors import needs no adapter',
    ),
    only('sandbox-alone', '^src/sandbox/', ['^src/(core|sandbox|adapters/system)/', '^node_modules/'], ''),
    only(
      'commands-are-thin',
      '^src/commands/',
      ['^src/(commands|cli|pipelines)/', '^src/core/', '^node_modules/@oclif/'],
      'a command reads settings, runs one pipeline, reports',
    ),
    {
      name: 'adapters-meet-in-compose-only',
      comment: 'one composition file wires adapters into pipelines',
      severity: 'error',
      from: {path: '^src/', pathNot: ['^src/adapters/', '^src/cli/compose', '^src/sandbox/']},
      to: {path: '^src/adapters/'},
    },
    {
      name: 'sandbox-for-its-command-only',
      severity: 'error',
      from: {path: '^src/', pathNot: ['^src/sandbox/', '^src/cli/compose']},
      to: {path: '^src/sandbox/'},
    },
    {name: 'no-circular', severity: 'error', from: {}, to: {circular: true}},
    {name: 'no-unresolvable', severity: 'error', from: {}, to: {couldNotResolve: true}},
  ],
  options: {
    doNotFollow: {path: 'node_modules'},
    tsPreCompilationDeps: true,
    tsConfig: {fileName: 'tsconfig.json'},
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}

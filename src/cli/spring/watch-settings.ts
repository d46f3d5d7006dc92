/** Where Spring Boot's properties have the HTTP endpoints, and who sees what of them. */
import {StreamtoolError} from '../../core/errors.js'
import {
  type Listener,
  WATCH_ENDPOINTS,
  type WatchEndpoint,
  type WatchOptions,
} from '../../core/ports/index.js'
import {canonicalName, matchName, type SpringProperty, writtenElements} from './property.js'
import {tagsOf} from './tags.js'

/**
 * Boot shows `health` alone by default; `info` is what Data Flow takes for its readiness probe, so that an application
 * without it would never be ready there.
 */
const EXPOSED_BY_DEFAULT = 'health,info'
const PREFIXES = ['server', 'management', 'info']

/** The strongest value of a property, or undefined. */
type Lookup = (name: string) => SpringProperty | undefined

/**
 * @param properties the strongest first
 * @returns null when HTTP is switched off
 * @throws SETTING_INVALID
 */
export function watchOptionsOf(
  properties: readonly SpringProperty[],
  env: NodeJS.ProcessEnv,
): WatchOptions | null {
  const find: Lookup = (name) => {
    const pattern = canonicalName(name)
    return properties.find((property) => property.value !== '' && matchName(pattern, property) !== null)
  }
  refuseTls(properties)
  if (find('spring.main.web-application-type')?.value.toLowerCase() === 'none') return null
  const server = listenerOf(find, 'server', env['VCAP_APPLICATION'] === undefined ? undefined : env['PORT'])
  const separate =
    find('management.server.port') === undefined ? server : listenerOf(find, 'management.server')
  const isSeparate = separate?.port !== server?.port || separate?.port === 0
  const hasOwn = isSeparate && find('management.server.port') !== undefined
  if (server === null && separate === null) return null
  const details = choice(find('management.endpoint.health.show-details'), DETAILS, 'never') === 'always'
  return {
    server,
    management: hasOwn ? separate : null,
    basePath: basePathOf(find, hasOwn),
    endpoints: separate === null ? new Map() : endpointsOf(properties, find),
    readOnly: readOnlyOf(find),
    health: {
      details,
      components:
        choice(find('management.endpoint.health.show-components'), DETAILS, details ? 'always' : 'never') ===
        'always',
      probes: probesOf(find, env),
    },
    isBinder: true,
    info: isOn(find('management.info.env.enabled'), false) ? infoOf(properties) : {},
    tags: {...tagsOf(properties), ...ownTagsOf(properties)},
  }
}

/** Whether a property is one of those that are understood, or at least meant, here. */
export const isOfWatching = ({elements}: SpringProperty) => PREFIXES.includes(elements[0] ?? '')

const DETAILS = ['never', 'when-authorized', 'always'] as const

/** -1 switches it off. */
function listenerOf(find: Lookup, prefix: string, otherwise = '8080'): Listener | null {
  const property = find(`${prefix}.port`)
  const written = property?.value ?? otherwise
  if (written.trim() === '-1') return null
  const port = /^\d{1,5}$/.test(written.trim()) ? Number(written) : Number.NaN
  if (!(port <= 65_535)) throw invalid(property, 'must be a port, from 0 to 65535, or -1 for none')
  return {port, address: (find(`${prefix}.address`) ?? find('server.address'))?.value ?? '0.0.0.0'}
}

function basePathOf(find: Lookup, hasOwn: boolean): string {
  const outer = hasOwn
    ? find('management.server.base-path')
    : (find('server.servlet.context-path') ?? find('spring.webflux.base-path'))
  return [outer?.value ?? '', find('management.endpoints.web.base-path')?.value ?? '/actuator']
    .map((path) => path.replaceAll(/^\/+|\/+$/g, ''))
    .filter((path) => path !== '')
    .map((path) => `/${path}`)
    .join('')
}

function endpointsOf(
  properties: readonly SpringProperty[],
  find: Lookup,
): ReadonlyMap<WatchEndpoint, string> {
  const include = idsOf(find('management.endpoints.web.exposure.include')?.value ?? EXPOSED_BY_DEFAULT)
  const exclude = idsOf(find('management.endpoints.web.exposure.exclude')?.value ?? '')
  const has = (ids: ReadonlySet<string>, id: string) => ids.has('*') || ids.has(id)
  return new Map(
    WATCH_ENDPOINTS.filter((id) => has(include, id) && !has(exclude, id) && isEnabled(find, id)).map((id) => [
      id,
      pathOf(properties, id),
    ]),
  )
}

/** Tolerates the quotes that shells leave around `*`. */
const idsOf = (list: string) =>
  new Set(list.split(',').map((id) => id.replaceAll(/['"\s]/g, '').toLowerCase()))

/** Shutting down is the one thing that must be allowed by its own name. */
function isEnabled(find: Lookup, id: WatchEndpoint): boolean {
  const access =
    find(`management.endpoint.${id}.access`) ??
    (id === 'shutdown' ? undefined : find('management.endpoints.access.default'))
  if (access !== undefined) return choice(access, ACCESS, 'none') !== 'none'
  const byDefault = id !== 'shutdown' && isOn(find('management.endpoints.enabled-by-default'), true)
  return isOn(find(`management.endpoint.${id}.enabled`), byDefault)
}

const ACCESS = ['none', 'read-only', 'unrestricted'] as const

function readOnlyOf(find: Lookup): ReadonlySet<WatchEndpoint> {
  return new Set(
    WATCH_ENDPOINTS.filter((id) => {
      const access = find(`management.endpoint.${id}.access`) ?? find('management.endpoints.access.default')
      return access !== undefined && choice(access, ACCESS, 'none') === 'read-only'
    }),
  )
}

function pathOf(properties: readonly SpringProperty[], id: WatchEndpoint): string {
  const pattern = canonicalName(`management.endpoints.web.path-mapping.${id}`)
  const mapped = properties.find((property) => matchName(pattern, property) !== null)?.value
  return mapped?.replaceAll(/^\/+|\/+$/g, '') ?? id
}

/** In Kubernetes they are there without being asked for. */
function probesOf(find: Lookup, env: NodeJS.ProcessEnv): boolean {
  const said = find('management.endpoint.health.probes.enabled') ?? find('management.health.probes.enabled')
  const inKubernetes =
    env['KUBERNETES_SERVICE_HOST'] !== undefined && env['KUBERNETES_SERVICE_PORT'] !== undefined
  return isOn(said, inKubernetes)
}

/** `info.app.name=x` -> `{app: {name: 'x'}}` */
function infoOf(properties: readonly SpringProperty[]): Record<string, unknown> {
  const info: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const {elements, joins, written, value} of [...properties].reverse()) {
    if (elements[0] !== 'info' || elements.length < 2) continue
    const path = joins ? elements.slice(1) : writtenElements(written).slice(1)
    let table = info
    for (const name of path.slice(0, -1)) {
      const inner = table[name]
      const next = (typeof inner === 'object' && inner !== null ? inner : Object.create(null)) as Record<
        string,
        unknown
      >
      table[name] = next
      table = next
    }
    table[path.at(-1) ?? ''] = value
  }
  return info
}

/** `management.metrics.tags.region=eu` */
function ownTagsOf(properties: readonly SpringProperty[]): Record<string, string> {
  const pattern = ['management', 'metrics', 'tags', '*']
  const tags = new Map<string, string>()
  for (const property of [...properties].reverse())
    if (matchName(pattern, property) !== null)
      tags.set(
        (property.joins ? property.elements : writtenElements(property.written)).slice(3).join('.'),
        property.value,
      )
  return Object.fromEntries(tags)
}

function refuseTls(properties: readonly SpringProperty[]): void {
  for (const property of properties)
    for (const pattern of [
      ['server', 'ssl', '*'],
      ['management', 'server', 'ssl', '*'],
    ]) {
      const match = matchName(pattern, property)
      if (match === null || match.rest.join('') === 'enabled' || property.value === '') continue
      throw invalid(property, 'is refused: the endpoints speak HTTP only; put a proxy with TLS before them')
    }
}

function isOn(property: SpringProperty | undefined, otherwise: boolean): boolean {
  return property === undefined ? otherwise : choice(property, ['true', 'false'], 'false') === 'true'
}

function choice<const C extends string>(
  property: SpringProperty | undefined,
  choices: readonly C[],
  otherwise: C,
): C {
  if (property === undefined) return otherwise
  const written = property.value.trim().toLowerCase().replaceAll('_', '-')
  const found = choices.find((known) => known === written || known.replaceAll('-', '') === written)
  if (found === undefined) throw invalid(property, `must be one of ${choices.join(', ')}`)
  return found
}

const invalid = (property: SpringProperty | undefined, what: string) =>
  new StreamtoolError('SETTING_INVALID', `${property?.source ?? 'PORT'} ${what}.`)

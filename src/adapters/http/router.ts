/** Which endpoint answers which path. */
import type {RunControl, WatchEndpoint, WatchOptions} from '../../core/ports/index.js'
import {type Answer, EMPTY_404, failure, json, type Request, unlessAllowed} from './answer.js'
import {answerBindings} from './bindings.js'
import {answerPrometheus} from './exposition.js'
import {healthAt, httpStatusOf, type HealthStatus, readiness} from './health.js'
import {answerMetric, answerNames} from './metric-details.js'
import {metricsOf} from './metrics.js'

export type Router = (request: Request) => Answer | Promise<Answer>

export function createRouter(options: WatchOptions, control: RunControl): Router {
  const {basePath, endpoints, health, info, tags, readOnly} = options
  const metrics = () => metricsOf(control.status(), Date.now(), options.isBinder)
  const byPath = new Map([...endpoints].map(([id, path]) => [path, id]))

  function answerAt(id: WatchEndpoint, rest: readonly string[], request: Request): Answer | Promise<Answer> {
    if (id === 'bindings')
      return rest.length > 1
        ? failure(request, 404)
        : answerBindings(request, rest[0] ?? null, control, readOnly.has('bindings'))
    const refused = unlessAllowed(request, [id === 'shutdown' ? 'POST' : 'GET'])
    if (refused !== null) return refused
    if (id === 'health') return answerHealth(request, rest)
    if (id === 'metrics')
      return rest.length === 0
        ? answerNames(request, metrics())
        : answerMetric(request, rest.join('/'), metrics(), tags)
    if (rest.length > 0) return failure(request, 404)
    if (id === 'info') return json(request, info)
    if (id === 'prometheus') return answerPrometheus(request, metrics(), tags)
    control.shutdown('POST shutdown')
    return json(request, {message: 'Shutting down, bye...'})
  }

  function answerHealth(request: Request, rest: readonly string[]): Answer {
    const found = healthAt(rest, control.status(), health)
    if (found === null) return EMPTY_404
    return json(request, found, httpStatusOf((found as {status: HealthStatus}).status))
  }

  /** For probes and scrapers that know nothing of Spring Boot. */
  function answerAlias(request: Request, parts: readonly string[]): Answer | Promise<Answer> | null {
    const [name, ...rest] = parts
    if (name === 'livez' || name === 'readyz') {
      const refused = rest.length > 0 ? failure(request, 404) : unlessAllowed(request, ['GET'])
      const status = name === 'livez' ? 'UP' : readiness(control.status())
      return refused ?? json(request, {status}, httpStatusOf(status))
    }
    const id = ALIASES[name ?? '']
    return id !== undefined && endpoints.has(id) ? answerAt(id, rest, request) : null
  }

  return (request) => {
    const {path} = request
    if (endpoints.size > 0 && path === basePath)
      return unlessAllowed(request, ['GET']) ?? json(request, {_links: linksOf(options, request.origin)})
    if (path.startsWith(`${basePath}/`)) {
      const [first = '', ...rest] = path.slice(basePath.length + 1).split('/')
      const id = byPath.get(first)
      if (id !== undefined) return answerAt(id, rest, request)
    }
    return answerAlias(request, path.slice(1).split('/')) ?? failure(request, 404)
  }
}

/** `/metrics` is what Prometheus asks for unless it is told otherwise. */
const ALIASES: Readonly<Record<string, WatchEndpoint>> = {
  health: 'health',
  info: 'info',
  metrics: 'prometheus',
  shutdown: 'shutdown',
}

const TEMPLATES: Readonly<Partial<Record<WatchEndpoint, readonly [name: string, path: string]>>> = {
  bindings: ['bindings-name', '{name}'],
  health: ['health-path', '{*path}'],
  metrics: ['metrics-requiredMetricName', '{requiredMetricName}'],
}

function linksOf({basePath, endpoints}: WatchOptions, origin: string): Record<string, unknown> {
  const base = `${origin}${basePath}`
  const links: Record<string, unknown> = {self: {href: base, templated: false}}
  for (const [id, path] of endpoints) {
    links[id] = {href: `${base}/${path}`, templated: false}
    const [name, below] = TEMPLATES[id] ?? []
    if (name !== undefined && below !== undefined)
      links[name] = {href: `${base}/${path}/${below}`, templated: true}
  }
  return links
}

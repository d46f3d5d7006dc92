/** What is answered, before it is written to a socket. */

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Absent: no body. */
  readonly body?: string
}

export interface Request {
  readonly method: string
  /** Decoded, without the query, no slash at its end. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  /** `http://host:port`, as the client sees it. */
  readonly origin: string
  readonly body: () => Promise<string>
}

const ACTUATOR_TYPES = [
  'application/vnd.spring-boot.actuator.v3+json',
  'application/vnd.spring-boot.actuator.v2+json',
  'application/json',
] as const

/** JSON of an endpoint, in the type that was asked for. */
export function json(request: Request, body: unknown, status = 200): Answer {
  const type = acceptable(request.headers['accept'])
  if (type === null) return {status: 406, headers: {Accept: ACTUATOR_TYPES.join(', ')}}
  return {status, headers: {'Content-Type': type}, body: JSON.stringify(body)}
}

function acceptable(accept: string | undefined): string | null {
  const wanted = (accept ?? '*/*').split(',').map((range) => (range.split(';')[0] ?? '').trim().toLowerCase())
  if (wanted.includes('*/*') && !wanted.some((range) => isActuatorType(range))) return ACTUATOR_TYPES[0]
  const named = ACTUATOR_TYPES.find((type) => wanted.includes(type))
  if (named !== undefined) return named
  return wanted.includes('application/*') || wanted.includes('*/*') ? ACTUATOR_TYPES[0] : null
}

const isActuatorType = (type: string) => (ACTUATOR_TYPES as readonly string[]).includes(type)

export const isJsonType = (contentType: string | undefined) =>
  isActuatorType((contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '')

export const EMPTY_404: Answer = {status: 404}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
}

/** Spring Boot's own page for what went wrong. */
export function failure(
  request: Pick<Request, 'path'>,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const timestamp = new Date().toISOString().replace('Z', '+00:00')
  const {path} = request
  return {
    status,
    headers: {'Content-Type': 'application/json', ...headers},
    body: JSON.stringify({
      timestamp,
      status,
      error: REASONS[status] ?? 'Error',
      path: path === '' ? '/' : path,
    }),
  }
}

export const badRequest = (request: Request) => failure(request, 400, {Connection: 'close'})

/** @returns null when the method is one of these; HEAD is GET without the body */
export function unlessAllowed(request: Request, allowed: readonly string[]): Answer | null {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  return allowed.includes(method) ? null : failure(request, 405, {Allow: allowed.join(', ')})
}

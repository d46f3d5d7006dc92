/** Metrics as Prometheus reads them: its text format 0.0.4, and OpenMetrics 1.0.0 for who asks for it. */
import type {Answer, Request} from './answer.js'
import type {Metric, Sample} from './metrics.js'

const TEXT = 'text/plain;version=0.0.4;charset=utf-8'
const OPEN_METRICS = 'application/openmetrics-text;version=1.0.0;charset=utf-8'

export function answerPrometheus(
  request: Request,
  metrics: readonly Metric[],
  tags: Readonly<Record<string, string>>,
): Answer {
  const isOpen = (request.headers['accept'] ?? '').includes('application/openmetrics-text')
  const text = metrics.map((metric) => family(metric, tags, isOpen)).join('')
  return {
    status: 200,
    headers: {'Content-Type': isOpen ? OPEN_METRICS : TEXT},
    body: isOpen ? `${text}# EOF\n` : text,
  }
}

function family(
  {name, help, kind, samples}: Metric,
  tags: Readonly<Record<string, string>>,
  isOpen: boolean,
) {
  const base = identifier(name)
  const series = kind === 'counter' ? `${base}_total` : base
  // OpenMetrics names a counter's family without the suffix of its samples.
  const heading = isOpen ? base : series
  return [
    `# HELP ${heading} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    `# TYPE ${heading} ${kind}`,
    ...samples.map((sample) => `${series}${labels({...tags, ...sample.tags})} ${written(sample)}`),
    '',
  ].join('\n')
}

/** `stream.name` -> `stream_name` */
const identifier = (name: string) => name.replaceAll(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_')

function labels(tags: Readonly<Record<string, string>>): string {
  const written = Object.entries(tags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${identifier(name)}="${escaped(value)}"`)
  return written.length === 0 ? '' : `{${written.join(',')}}`
}

const escaped = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** `0.0` for whole numbers, as Micrometer writes them. */
function written({value}: Sample): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

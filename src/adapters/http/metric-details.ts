/** `/actuator/metrics`: the names, and one metric with its tags, as Spring Boot tells them. */
import {type Answer, EMPTY_404, json, type Request} from './answer.js'
import type {Metric} from './metrics.js'

export const answerNames = (request: Request, metrics: readonly Metric[]): Answer =>
  json(request, {names: metrics.map(({name}) => name)})

/** `?tag=topic:a&tag=group:b` selects; what is left is summed. */
export function answerMetric(
  request: Request,
  name: string,
  metrics: readonly Metric[],
  tags: Readonly<Record<string, string>>,
): Answer {
  const metric = metrics.find((known) => known.name === name)
  const wanted = request.query.getAll('tag').map((tag): [string, string] => {
    const colon = tag.indexOf(':')
    return [tag.slice(0, Math.max(0, colon)), tag.slice(colon + 1)]
  })
  const samples = (metric?.samples ?? [])
    .map((sample) => ({value: sample.value, tags: new Map(Object.entries({...tags, ...sample.tags}))}))
    .filter((sample) => wanted.every(([tag, value]) => sample.tags.get(tag) === value))
  if (metric === undefined || samples.length === 0) return EMPTY_404
  const free = [...new Set(samples.flatMap((sample) => [...sample.tags.keys()]))].filter(
    (tag) => !wanted.some(([chosen]) => chosen === tag),
  )
  const answer = json(request, {
    name,
    description: metric.help,
    measurements: [
      {
        statistic: metric.kind === 'counter' ? 'COUNT' : 'VALUE',
        value: samples.reduce((sum, {value}) => sum + value, 0),
      },
    ],
    availableTags: free.map((tag) => ({
      tag,
      values: [...new Set(samples.flatMap((sample) => sample.tags.get(tag) ?? []))],
    })),
  })
  return {
    ...answer,
    // Boot says so for whatever looks like a file name.
    headers: {...answer.headers, 'Content-Disposition': 'inline;filename=f.txt'},
    ...(answer.body === undefined ? {} : {body: withDecimals(answer.body)}),
  }
}

/** `0.0`, as Java writes it: the type of some readers depends on it. */
const withDecimals = (body: string) =>
  body.replace(/("measurements":\[\{"statistic":"[A-Z]+","value":-?\d+)\}\]/, '$1.0}]')

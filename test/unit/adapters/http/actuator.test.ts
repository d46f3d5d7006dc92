/** The endpoints, asked over real sockets: bodies, types and codes of a real Spring Cloud Stream application. */
import {once} from 'node:events'
import {request as send} from 'node:http'
import {connect} from 'node:net'
import {describe, expect, it, onTestFinished} from 'vitest'
import {startWatching} from '../../../../src/adapters/http/index.js'
import type {RunControl, RunStatus, WatchEndpoint, WatchOptions} from '../../../../src/core/ports/index.js'

const V3 = 'application/vnd.spring-boot.actuator.v3+json'
const LOOPBACK = {address: '127.0.0.1', port: 0}
const all = (...ids: WatchEndpoint[]) => new Map(ids.map((id) => [id, id]))

const RUNNING: RunStatus = {
  phase: 'running',
  startedMs: 1_000_000,
  broker: {reachable: true, checkedMs: 1_000_000, reason: null},
  inputs: [
    {
      binding: 'input',
      topic: 'scs.d.in',
      group: 'd',
      state: 'running',
      lastPollMs: null,
      partitions: [
        {partition: 0, position: 9, safeOffset: 8, endOffset: 10},
        {partition: 1, position: 5, safeOffset: 5, endOffset: 5},
      ],
    },
  ],
  outputs: [{binding: 'output', name: 'scs.d.out', state: 'running'}],
  counts: {'records.read': 13},
  levels: {'in.flight.bytes': 4.5},
}
const AWAY = {reachable: false, checkedMs: 1, reason: 'no answer within 5000 ms'}

const BY_DEFAULT: WatchOptions = {
  server: LOOPBACK,
  management: null,
  basePath: '/actuator',
  endpoints: all('health'),
  readOnly: new Set(),
  health: {components: false, details: false, probes: false},
  isBinder: true,
  info: {},
  tags: {},
}
const EVERYTHING: WatchOptions = {
  ...BY_DEFAULT,
  endpoints: all('bindings', 'health', 'info', 'metrics', 'prometheus'),
  health: {components: true, details: true, probes: true},
}

async function served(options: WatchOptions, status: RunStatus = RUNNING) {
  const calls: string[] = []
  const call = (name: string) => async (binding: string) => void calls.push(`${name} ${binding}`)
  const run = {status}
  const control: RunControl = {
    status: () => run.status,
    pause: call('pause'),
    resume: call('resume'),
    stop: call('stop'),
    start: call('start'),
    shutdown: (reason) => calls.push(`shutdown ${reason}`),
  }
  const server = await startWatching(options, control)
  onTestFinished(() => server.close())
  const [url = '', second = ''] = server.urls
  const get = (path: string, init: RequestInit = {}) => answerOf(`${url}${path}`, init)
  const post = (path: string, body: string | null, type: string | null = 'application/json') =>
    get(path, {
      method: 'POST',
      body: body === null ? null : Buffer.from(body),
      headers: type === null ? {} : {'Content-Type': type},
    })
  return {server, url, second, calls, run, get, post}
}

async function answerOf(url: string, init: RequestInit) {
  const response = await fetch(url, init)
  const text = await response.text()
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text,
    headers: response.headers,
    json: text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as unknown) : null,
  }
}

const TIMESTAMP: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/)

describe('by default, as Spring Boot has it', () => {
  it('health alone is there', async () => {
    const {get, url} = await served(BY_DEFAULT)
    expect(await get('/actuator')).toMatchObject({
      status: 200,
      type: V3,
      json: {
        _links: {
          self: {href: `${url}/actuator`, templated: false},
          health: {href: `${url}/actuator/health`, templated: false},
          'health-path': {href: `${url}/actuator/health/{*path}`, templated: true},
        },
      },
    })
    expect(await get('/actuator/health')).toMatchObject({status: 200, type: V3, text: '{"status":"UP"}'})
  })

  it.each(['liveness', 'readiness', 'binders', 'nope'])('health/%s is 404 and empty', async (name) => {
    const {get} = await served(BY_DEFAULT)
    const {status, text, headers} = await get(`/actuator/health/${name}`)
    expect([status, text, headers.get('content-length')]).toEqual([404, '', '0'])
  })

  it.each(['/actuator/info', '/actuator/bindings', '/actuator/prometheus', '/', '/nope', '/metrics'])(
    '%s is 404',
    async (path) => {
      const {get} = await served(BY_DEFAULT)
      expect(await get(path)).toMatchObject({
        status: 404,
        type: 'application/json',
        json: {timestamp: TIMESTAMP, status: 404, error: 'Not Found', path},
      })
    },
  )

  it.each<[string, number, string | null]>([
    ['*/*', 200, V3],
    ['application/json', 200, 'application/json'],
    ['text/html,application/xml;q=0.9,*/*;q=0.8', 200, V3],
    ['application/vnd.spring-boot.actuator.v2+json', 200, 'application/vnd.spring-boot.actuator.v2+json'],
    ['text/plain', 406, null],
  ])('Accept: %s', async (accept, status, type) => {
    const {get} = await served(BY_DEFAULT)
    const answer = await get('/actuator/health', {headers: {Accept: accept}})
    expect([answer.status, answer.type]).toEqual([status, type])
    if (status === 406)
      expect([answer.text, answer.headers.get('accept')]).toEqual(['', expect.stringContaining(V3)])
  })

  it('POST health is 405', async () => {
    const {post} = await served(BY_DEFAULT)
    const answer = await post('/actuator/health', '{}')
    expect(answer.headers.get('allow')).toBe('GET')
    expect(answer).toMatchObject({
      status: 405,
      json: {timestamp: TIMESTAMP, status: 405, error: 'Method Not Allowed', path: '/actuator/health'},
    })
  })
})

describe('health', () => {
  it('with everything shown', async () => {
    const {get} = await served(EVERYTHING)
    expect((await get('/actuator/health')).text).toBe(
      '{"status":"UP","groups":["liveness","readiness"],"components":{"binders":{"status":"UP","components":{"kafka":{"status":"UP","details":{"topicsInUse":["scs.d.in","scs.d.out"],' +
        `"listenerContainers":[{"isPaused":false,"listenerId":"KafkaConsumerDestination{consumerDestinationName='scs.d.in', partitions=2, dlqName='null'}.container","isRunning":true,"groupId":"d","isStoppedAbnormally":false}]}}}},` +
        '"livenessState":{"status":"UP"},"ping":{"status":"UP"},"readinessState":{"status":"UP"}}}',
    )
    for (const name of ['liveness', 'readiness', 'ping'])
      expect((await get(`/actuator/health/${name}`)).text).toBe('{"status":"UP"}')
    expect(await get('/actuator/health/binders/kafka')).toMatchObject({status: 200, json: {status: 'UP'}})
    expect(await get('/actuator/health/nope')).toMatchObject({status: 404, text: ''})
    expect(await get('/actuator/health/constructor')).toMatchObject({status: 404, text: ''})
  })

  it('with probes, and no details', async () => {
    const {get} = await served({...EVERYTHING, health: {components: false, details: false, probes: true}})
    expect((await get('/actuator/health')).text).toBe('{"status":"UP","groups":["liveness","readiness"]}')
  })

  const states: [string, Partial<RunStatus>, number, string][] = [
    [
      'starting',
      {phase: 'starting', broker: {reachable: null, checkedMs: null, reason: null}},
      503,
      'OUT_OF_SERVICE',
    ],
    ['running', {}, 200, 'UP'],
    ['without brokers', {broker: AWAY}, 503, 'DOWN'],
    ['without storage', {storage: AWAY}, 503, 'DOWN'],
    ['draining', {phase: 'draining'}, 503, 'OUT_OF_SERVICE'],
    ['over', {phase: 'ended'}, 503, 'OUT_OF_SERVICE'],
  ]
  it.each(states)('%s', async (_, change, status, said) => {
    const {get} = await served(EVERYTHING, {...RUNNING, ...change})
    for (const path of ['/actuator/health/readiness', '/readyz'])
      expect(await get(path)).toMatchObject({status, text: `{"status":"${said}"}`})
    for (const path of ['/actuator/health/liveness', '/livez'])
      expect(await get(path)).toMatchObject({status: 200, text: '{"status":"UP"}'})
    expect(await get('/actuator/health')).toMatchObject({status, json: {status: said}})
  })

  it('comes back without a restart, and the reason is for those who see details only', async () => {
    const {get, run} = await served(EVERYTHING, {...RUNNING, broker: AWAY})
    expect((await get('/actuator/health')).text).toContain(AWAY.reason)
    run.status = RUNNING
    expect(await get('/readyz')).toMatchObject({status: 200})
    const closed = await served(BY_DEFAULT, {...RUNNING, broker: AWAY})
    expect(await closed.get('/actuator/health')).toMatchObject({status: 503, text: '{"status":"DOWN"}'})
  })
})

describe('bindings', () => {
  const input = {
    bindingName: 'input',
    name: 'scs.d.in',
    group: 'd',
    pausable: true,
    state: 'running',
    paused: false,
    extension: {autoRebalanceEnabled: true},
    binderType: 'kafka',
    binderName: 'kafka',
    input: true,
  }

  it('are an array, in the order and with the keys of the binder', async () => {
    const {get} = await served(EVERYTHING)
    const {json, text} = await get('/actuator/bindings')
    expect(json).toMatchObject([input, {bindingName: 'output', group: null, pausable: false, input: false}])
    expect(text).toMatch(
      /^\[\{"bindingName":"input","name":"scs.d.in","group":"d","pausable":true,"state":"running","paused":false,"extension":\{"autoRebalanceEnabled":true/,
    )
    expect((await get('/actuator/bindings/input')).json).toMatchObject([input])
    expect((await get('/actuator/bindings/nope')).text).toBe('[]')
  })

  it.each([
    ['{"state":"PAUSED"}', 'pause input'],
    ['{"state":"RESUMED"}', 'resume input'],
    ['{"state":"STOPPED"}', 'stop input'],
    ['{"state":"STARTED"}', 'start input'],
    ['{"state":"paused"}', 'pause input'],
  ])('%s', async (body, call) => {
    const {post, calls} = await served(EVERYTHING)
    expect(await post('/actuator/bindings/input', body)).toMatchObject({status: 204, text: ''})
    expect(await post('/actuator/bindings/input', body, V3)).toMatchObject({status: 204})
    expect(calls).toEqual([call, call])
  })

  it.each([['{"state":"BOGUS"}'], ['{}'], [''], ['not JSON'], ['null'], ['[]'], ['{"state":{}}']])(
    'refuses %j',
    async (body) => {
      const {post, calls} = await served(EVERYTHING)
      const answer = await post('/actuator/bindings/input', body)
      expect(answer).toMatchObject({
        status: 400,
        type: 'application/json',
        json: {timestamp: TIMESTAMP, status: 400, error: 'Bad Request', path: '/actuator/bindings/input'},
      })
      expect(calls).toEqual([])
    },
  )

  it('refuses other types, other methods, and large bodies', async () => {
    const {post, get, calls} = await served(EVERYTHING)
    expect(
      await post('/actuator/bindings/input', 'state=PAUSED', 'application/x-www-form-urlencoded'),
    ).toMatchObject({
      status: 415,
      json: {error: 'Unsupported Media Type'},
    })
    const deleted = await get('/actuator/bindings/input', {method: 'DELETE'})
    expect([deleted.status, deleted.headers.get('allow')]).toEqual([405, 'POST, GET'])
    expect((await post('/actuator/bindings/input', ' '.repeat(100_000))).status).toBe(413)
    expect(calls).toEqual([])
  })

  it('can be seen only, where access is read-only', async () => {
    const {post} = await served({...EVERYTHING, readOnly: new Set(['bindings'])})
    expect((await post('/actuator/bindings/input', '{"state":"PAUSED"}')).status).toBe(405)
  })
})

describe('metrics', () => {
  it('have sorted names', async () => {
    const {get} = await served(EVERYTHING)
    const {names} = (await get('/actuator/metrics')).json as {names: string[]}
    expect(names).toEqual([...names].sort())
    expect(names).toContain('streamtool.records.read')
  })

  it('the lag, as the binder tells it', async () => {
    const {get} = await served(EVERYTHING)
    const answer = await get('/actuator/metrics/spring.cloud.stream.binder.kafka.offset')
    expect(answer.text).toBe(
      '{"name":"spring.cloud.stream.binder.kafka.offset","description":"Unconsumed messages for a particular group and topic",' +
        '"measurements":[{"statistic":"VALUE","value":2.0}],"availableTags":[{"tag":"topic","values":["scs.d.in"]},{"tag":"group","values":["d"]}]}',
    )
    expect(answer.headers.get('content-disposition')).toBe('inline;filename=f.txt')
  })

  it('are selected by tags and summed', async () => {
    const {get} = await served(EVERYTHING)
    const value = async (query: string) => {
      const {json} = await get(`/actuator/metrics/streamtool.partition.position${query}`)
      return (json as {measurements: {value: number}[]} | null)?.measurements[0]?.value
    }
    expect(await value('')).toBe(14)
    expect(await value('?tag=partition:1')).toBe(5)
    expect(await value('?tag=partition:7')).toBeUndefined()
    expect((await get('/actuator/metrics/nope')).status).toBe(404)
  })

  it('for Prometheus, with the tags of Data Flow', async () => {
    const tags = {'stream.name': 'a "quoted"\\\nname'}
    const {get} = await served({...EVERYTHING, tags})
    const {text, type} = await get('/actuator/prometheus')
    expect(type).toBe('text/plain;version=0.0.4;charset=utf-8')
    const stream = 'stream_name="a \\"quoted\\"\\\\\\nname"'
    expect(text)
      .toContain(`# HELP spring_cloud_stream_binder_kafka_offset Unconsumed messages for a particular group and topic
# TYPE spring_cloud_stream_binder_kafka_offset gauge
spring_cloud_stream_binder_kafka_offset{group="d",${stream},topic="scs.d.in"} 2.0
`)
    expect(text).toContain(
      `# TYPE streamtool_records_read_total counter\nstreamtool_records_read_total{${stream}} 13.0\n`,
    )
    expect(text).toContain(`streamtool_in_flight_bytes{${stream}} 4.5\n`)
    expect(text).toContain(
      `streamtool_partition_lag{group="d",partition="0",${stream},topic="scs.d.in"} 2.0\n`,
    )
    expect((await get('/metrics')).text).toContain('streamtool_ready')
  })

  it('in OpenMetrics when asked for', async () => {
    const {get} = await served(EVERYTHING)
    const answer = await get('/actuator/prometheus', {
      headers: {Accept: 'application/openmetrics-text;version=1.0.0'},
    })
    expect(answer.type).toBe('application/openmetrics-text;version=1.0.0;charset=utf-8')
    expect(answer.text).toContain(
      '# TYPE streamtool_records_read counter\nstreamtool_records_read_total 13.0\n',
    )
    expect(answer.text.endsWith('\n# EOF\n')).toBe(true)
  })
})

describe('the rest', () => {
  it('info, shutdown and the short names', async () => {
    const {get, post, calls} = await served({
      ...EVERYTHING,
      endpoints: all('health', 'info', 'shutdown'),
      info: {app: {name: 'peer'}},
    })
    for (const path of ['/actuator/info', '/info', '/info/'])
      expect(await get(path)).toMatchObject({status: 200, text: '{"app":{"name":"peer"}}'})
    expect((await get('/health')).json).toMatchObject({status: 'UP'})
    expect((await get('/shutdown')).status).toBe(405)
    expect(calls).toEqual([])
    for (const path of ['/actuator/shutdown', '/shutdown'])
      expect(await post(path, null, null)).toMatchObject({
        status: 200,
        text: '{"message":"Shutting down, bye..."}',
      })
    expect(calls).toHaveLength(2)
    expect((await (await served(EVERYTHING)).post('/shutdown', null, null)).status).toBe(404)
  })

  it('a port for management has the endpoints, the other one the probes', async () => {
    const {get, second} = await served({...EVERYTHING, management: LOOPBACK})
    expect((await get('/actuator/health')).status).toBe(404)
    expect((await get('/readyz')).status).toBe(200)
    expect((await answerOf(`${second}/actuator/health`, {})).status).toBe(200)
  })

  it('a base path of / has everything at the root', async () => {
    const {get, url} = await served({...EVERYTHING, basePath: ''})
    expect((await get('/')).json).toMatchObject({_links: {self: {href: url}}})
    expect((await get('/bindings/input')).status).toBe(200)
  })

  it('HEAD has the head alone; a path that cannot be decoded is refused', async () => {
    const {get} = await served(EVERYTHING)
    expect(await get('/actuator/health', {method: 'HEAD'})).toMatchObject({status: 200, text: ''})
    expect((await get('/%zz')).status).toBe(400)
  })

  it('a host that is none is not repeated', async () => {
    const {url} = await served(EVERYTHING)
    const client = send(`${url}/actuator`, {headers: {Host: 'evil"host/x'}})
    client.end()
    const [response] = (await once(client, 'response')) as [NodeJS.ReadableStream]
    let text = ''
    for await (const piece of response) text += piece.toString()
    expect(text).not.toContain('evil')
  })

  it('headers without end are cut off', async () => {
    const {url, get} = await served(EVERYTHING)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write(`GET /actuator HTTP/1.1\r\nX: ${'x'.repeat(64 * 1024)}`)
    await once(socket, 'close')
    expect((await get('/livez')).status).toBe(200)
  })

  it('a port that is taken is named', async () => {
    const {url} = await served(EVERYTHING)
    const port = Number(new URL(url).port)
    const control = {status: () => RUNNING} as RunControl
    await expect(startWatching({...EVERYTHING, server: {...LOOPBACK, port}}, control)).rejects.toMatchObject({
      code: 'PORT_UNUSABLE',
      message: expect.stringContaining(`${port}`) as string,
    })
  })

  it('closes soon, whoever is still connected', async () => {
    const {server, url} = await served(EVERYTHING)
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => undefined).resume()
    await once(socket, 'connect')
    socket.write('POST /actuator/bindings/input HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{')
    await server.close()
    if (!socket.closed) await once(socket, 'close')
  })
})

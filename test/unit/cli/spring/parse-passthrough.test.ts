/** Properties of Spring, said in every way that was seen to work with a real application. */
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {parsePassthrough} from '../../../../src/cli/spring/index.js'
import {temporaryDirectory} from '../../../support/temporary-directory.js'

const NOWHERE = '/nonexistent'
const STREAM = 'spring.cloud.stream'

async function said(argv: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = NOWHERE) {
  const {flags, properties, spring, remarks} = await parsePassthrough(argv, env, cwd)
  const settings = Object.fromEntries([...properties].map(([name, {raw}]) => [name, raw]))
  return {flags, settings, spring, remarks}
}

const refusal = (argv: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = NOWHERE) =>
  parsePassthrough(argv, env, cwd).then(
    () => expect.fail('it was accepted'),
    (error: unknown) => error as {code: string; message: string; suggestions: string[]},
  )

const DATA_FLOW = {
  [`${STREAM}.bindings.input.destination`]: 'text-reversal.http',
  [`${STREAM}.bindings.input.group`]: 'text-reversal',
  [`${STREAM}.bindings.output.destination`]: 'text-reversal.python-processor',
  [`${STREAM}.bindings.output.producer.requiredGroups`]: 'text-reversal',
  [`${STREAM}.kafka.binder.brokers`]: 'PLAINTEXT://kafka-broker:9092',
  [`${STREAM}.kafka.binder.zkNodes`]: 'PLAINTEXT://kafka-zk:2181',
  'spring.cloud.dataflow.stream.name': 'text-reversal',
  'spring.cloud.dataflow.stream.app.label': 'python-processor',
  'spring.cloud.dataflow.stream.app.type': 'processor',
}
const SETTINGS = {
  input: 'text-reversal.http',
  group: 'text-reversal',
  output: 'text-reversal.python-processor',
  requiredGroups: 'text-reversal',
  brokers: 'kafka-broker:9092',
}

describe('the recipe of Data Flow, in each of its entry points', () => {
  const entries = Object.entries(DATA_FLOW)
  const environment = (name: (key: string) => string) =>
    Object.fromEntries(
      [...entries, ['reversestring', 'true']].map(([key, value]) => [name(key ?? ''), value]),
    )
  const nested = {
    reversestring: true,
    spring: {
      cloud: {stream: {bindings: {input: {destination: 'text-reversal.http', group: 'text-reversal'}}}},
    },
  }
  const rest = Object.fromEntries(entries.filter(([key]) => !key.includes('bindings.input')))

  it.each<[string, string[], NodeJS.ProcessEnv]>([
    ['exec: arguments', [...entries.map(([key, value]) => `--${key}=${value}`), '--reversestring=true'], {}],
    [
      'arguments with the value apart',
      [...entries.flatMap(([key, value]) => [`--${key}`, value]), '--reversestring', 'true'],
      {},
    ],
    [
      'the entry point of the recipe itself',
      [...entries.map(([key, value]) => `--${key}=${value}`), '--reversestring=true', '$@', '--'],
      {},
    ],
    ['shell: variables', [], environment((key) => key.replaceAll('.', '_').toUpperCase())],
    ['docker of the local deployer: variables with dots', [], environment((key) => key)],
    ['boot: flat JSON', [], {SPRING_APPLICATION_JSON: JSON.stringify({...DATA_FLOW, reversestring: 'true'})}],
    ['nested JSON', [], {SPRING_APPLICATION_JSON: JSON.stringify({...rest, ...nested})}],
  ])('%s', async (_, argv, env) => {
    const {flags, settings, spring} = await said(argv, env)
    const {reversestring = flags['reversestring'], ...others} = settings
    expect(others).toEqual(SETTINGS)
    expect(reversestring).toBe('true')
    expect(spring).toMatchObject({bindings: {input: 'input', output: 'output'}, streamName: 'text-reversal'})
    expect(spring?.watch?.tags).toEqual({
      'stream.name': 'text-reversal',
      'application.name': 'python-processor',
      'application.type': 'processor',
    })
  })
})

describe('which of several values counts', () => {
  const key = `${STREAM}.bindings.input.destination`
  const json = {SPRING_APPLICATION_JSON: JSON.stringify({[key]: 'of-json'})}
  const variable = {SPRING_CLOUD_STREAM_BINDINGS_INPUT_DESTINATION: 'of-variable'}

  it.each<[string, string[], NodeJS.ProcessEnv]>([
    ['of-argument', [`--${key}=of-argument`], {...json, ...variable}],
    ['of-json', [], {...json, ...variable}],
    ['of-variable', [], variable],
  ])('%s', async (winner, argv, env) => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'application.properties'), `${key}=of-file`)
    expect((await said(argv, env, cwd)).settings['input']).toBe(winner)
  })

  it('a file, when it is said in no other way; the one in config/ before the other', async () => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'application.properties'), `${key}=of-file\nreversestring=true`)
    const argv = [`--${STREAM}.bindings.output.destination=o`]
    expect((await said(argv, {}, cwd)).settings).toMatchObject({input: 'of-file', reversestring: 'true'})
    await mkdir(join(cwd, 'config'))
    await writeFile(
      join(cwd, 'config', 'application.yml'),
      'spring:\n  cloud.stream.bindings:\n    input: {destination: of-config}',
    )
    const {settings, remarks} = await said(argv, {}, cwd)
    expect(settings).toMatchObject({input: 'of-config', reversestring: 'true'})
    expect(remarks).toEqual([expect.stringContaining('config/application.yml')])
  })

  it('no file alone makes a Spring application of it', async () => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'application.properties'), `${key}=of-file\nserver.port=1`)
    expect(await said(['--input', 'a'], {}, cwd)).toMatchObject({settings: {}, spring: null})
  })

  it('keys are merged one by one', async () => {
    const env = {...variable, SPRING_CLOUD_STREAM_BINDINGS_INPUT_CONSUMER_MAXATTEMPTS: '5'}
    expect((await said([`--${key}=a`], env)).settings).toMatchObject({input: 'a', maxAttempts: '5'})
  })

  it('of one JSON, what comes later: nested after flat', async () => {
    const text = `{"${key}":"flat","spring":{"cloud":{"stream":{"bindings":{"input":{"destination":"nested"}}}}}}`
    expect((await said([], {SPRING_APPLICATION_JSON: text})).settings['input']).toBe('nested')
  })

  it('the same argument twice is both values', async () => {
    expect((await said([`--${key}=one`, `--${key}=two`])).settings['input']).toBe('one,two')
  })

  it('of a binding before all bindings, wherever it was said', async () => {
    const env = {SPRING_CLOUD_STREAM_BINDINGS_INPUT_CONSUMER_MAX_ATTEMPTS: '7'}
    const argv = [`--${STREAM}.default.consumer.maxAttempts=2`, `--${STREAM}.default.consumer.concurrency=4`]
    expect((await said(argv, env)).settings).toMatchObject({maxAttempts: '7', concurrency: '4'})
  })
})

describe('names', () => {
  it.each([
    'backOffInitialInterval',
    'back-off-initial-interval',
    'back_off_initial_interval',
    'BACKOFFINITIALINTERVAL',
  ])('are compared without dashes and case: %s', async (name) => {
    const {settings} = await said([`--${STREAM}.bindings.input.consumer.${name}=77`])
    expect(settings).toEqual({backOff: '77ms'})
  })

  it.each(['reverseString', 'reverse-string', 'reversestring'])('of flags too: --%s', async (name) => {
    expect((await said([`--${name}=true`])).flags).toEqual({reversestring: 'true'})
  })

  it.each([
    'SPRING_CLOUD_STREAM_BINDINGS_TRANSFORMIN0_DESTINATION',
    'SPRING_CLOUD_STREAM_BINDINGS_TRANSFORM_IN_0_DESTINATION',
    'SPRING_CLOUD_STREAM_BINDINGS_TRANSFORM-IN-0_DESTINATION',
    'spring.cloud.stream.bindings.transform-in-0.destination',
  ])('of bindings in variables: %s', async (name) => {
    expect((await said([], {[name]: 't'})).settings).toEqual({input: 't'})
  })

  it('of the bindings of a function', async () => {
    const argv = [
      `--${STREAM}.bindings.transform-in-0.destination=a`,
      `--${STREAM}.bindings.transform-out-0.destination=b`,
    ]
    const {settings, spring} = await said(argv)
    expect(settings).toEqual({input: 'a', output: 'b'})
    expect(spring?.bindings).toEqual({input: 'transform-in-0', output: 'transform-out-0'})
  })

  it('that a function gives to its bindings', async () => {
    const argv = [
      '--spring.cloud.function.definition=reverse',
      `--${STREAM}.function.bindings.reverse-in-0=texts`,
      `--${STREAM}.function.bindings.reverse-out-0=backwards`,
      `--${STREAM}.bindings.texts.destination=a`,
      `--${STREAM}.bindings.backwards.destination=b`,
      `--${STREAM}.bindings.texts.consumer.maxAttempts=1`,
    ]
    const {settings, spring} = await said(argv)
    expect(settings).toEqual({input: 'a', output: 'b', maxAttempts: '1'})
    expect(spring?.bindings).toEqual({input: 'texts', output: 'backwards'})
  })
})

describe('what a property says', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['bindings.input.destination', 'a,b', {input: 'a,b'}],
    ['bindings.input.group', 'g', {group: 'g'}],
    ['bindings.input.consumer.max-attempts', '1', {maxAttempts: '1'}],
    ['bindings.input.consumer.backOffMaxInterval', '500', {backOffMax: '500ms'}],
    ['bindings.input.consumer.backOffMultiplier', '1.5', {backOffMultiplier: '1.5'}],
    ['bindings.input.consumer.concurrency', '3', {concurrency: '3'}],
    ['bindings.input.consumer.partitioned', 'true', {}],
    ['kafka.bindings.input.consumer.enableDlq', 'true', {onFailure: 'dead-letter'}],
    ['kafka.bindings.input.consumer.enableDlq', 'false', {}],
    ['kafka.bindings.input.consumer.dlqPartitions', '1', {deadLetterPartitions: '1'}],
    ['kafka.bindings.input.consumer.startOffset', 'latest', {startOffset: 'latest'}],
    ['bindings.output.content-type', 'text/plain', {contentType: 'text/plain'}],
    ['bindings.output.producer.header-mode', 'none', {headers: 'none'}],
    ['bindings.output.producer.partitionCount', '3', {partitions: '3'}],
    ['bindings.output.producer.partitionKeyExpression', 'payload', {partitionBy: 'payload'}],
    ['bindings.output.producer.partitionKeyExpression', "headers['region']", {partitionBy: 'header:region'}],
    ['bindings.output.producer.partitionKeyExpression', 'headers.region', {partitionBy: 'header:region'}],
    [
      'bindings.output.producer.partitionKeyExpression',
      "headers['kafka_receivedPartitionId']",
      {partitionBy: 'partition'},
    ],
    ['bindings.output.producer.partitionKeyExpression', 'key', {partitionBy: 'key-hash'}],
    ['kafka.binder.autoCreateTopics', 'false', {createTopics: 'false'}],
    ['kafka.binder.minPartitionCount', '4', {partitions: '4'}],
    ['kafka.binder.replicationFactor', '3', {replicationFactor: '3'}],
    ['kafka.binder.replicationFactor', '-1', {}],
    ['kafka.binder.requiredAcks', '1', {}],
    ['kafka.binder.configuration.security.protocol', 'SASL_SSL', {tls: 'true'}],
    ['kafka.binder.configuration.ssl.truststore.certificates', '-----BEGIN X', {tlsCa: '-----BEGIN X'}],
    ['kafka.binder.consumer-properties.session.timeout.ms', '6000', {sessionTimeout: '6000ms'}],
    ['kafka.binder.consumerProperties.auto.offset.reset', 'latest', {startOffset: 'latest'}],
    ['kafka.binder.configuration[sasl.mechanism]', 'SCRAM-SHA-512', {saslMechanism: 'scram-sha-512'}],
    [
      'kafka.binder.jaas.loginModule',
      'org.apache.kafka.common.security.plain.PlainLoginModule',
      {saslMechanism: 'plain'},
    ],
    ['kafka.binder.jaas.options.username', 'me', {saslUsername: 'me'}],
  ])('%s = %s', async (name, value, settings) => {
    expect((await said([`--${STREAM}.${name}=${value}`])).settings).toEqual(settings)
  })

  it('a value holds = and spaces', async () => {
    const jaas =
      'org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p=q==";'
    const {settings} = await said([`--${STREAM}.kafka.binder.configuration.sasl.jaas.config=${jaas}`])
    expect(settings).toEqual({saslUsername: 'u', saslPassword: 'p=q=='})
  })

  it.each<[string, string | undefined, string]>([
    ['PLAINTEXT://kafka-broker:9092', undefined, 'kafka-broker:9092'],
    ['a, b:1,[::1],[::1]:2', undefined, 'a:9092,b:1,[::1]:9092,[::1]:2'],
    ['a', '19092', 'a:19092'],
  ])('brokers %s, port %s', async (brokers, port, expected) => {
    const argv = [`--${STREAM}.kafka.binder.brokers=${brokers}`]
    if (port !== undefined) argv.push(`--${STREAM}.kafka.binder.defaultBrokerPort=${port}`)
    expect((await said(argv)).settings['brokers']).toBe(expected)
  })

  it('a list in JSON, and by index', async () => {
    const env = {SPRING_APPLICATION_JSON: JSON.stringify({[`${STREAM}.kafka.binder.brokers`]: ['a', 'b:1']})}
    expect((await said([], env)).settings['brokers']).toBe('a:9092,b:1')
    const byIndex = [`--${STREAM}.kafka.binder.brokers[0]=a`, `--${STREAM}.kafka.binder.brokers[1]=b`]
    expect((await said(byIndex)).settings['brokers']).toBe('a:9092,b:9092')
  })

  it('the larger of partitionCount and minPartitionCount', async () => {
    const count = `--${STREAM}.bindings.output.producer.partitionCount=3`
    expect((await said([count, `--${STREAM}.kafka.binder.minPartitionCount=8`])).settings['partitions']).toBe(
      '8',
    )
    expect((await said([count, `--${STREAM}.kafka.binder.minPartitionCount=2`])).settings['partitions']).toBe(
      '3',
    )
  })

  it('false over a weaker true', async () => {
    const enabled = (of: string) => `${STREAM}.kafka.${of}.consumer.enable-dlq`
    const {settings} = await said([
      `--${STREAM}.bindings.input.destination=in`,
      `--${enabled('default')}=true`,
      `--${enabled('bindings.input')}=false`,
    ])
    expect(settings).not.toHaveProperty('onFailure')
    const fromEnvironment = await said([`--${enabled('bindings.input')}=false`], {
      [enabled('bindings.input')]: 'true',
    })
    expect(fromEnvironment.settings).not.toHaveProperty('onFailure')
  })

  it('a name of the dead-letter topic only together with enableDlq', async () => {
    const name = `--${STREAM}.kafka.bindings.input.consumer.dlqName=dead`
    expect((await said([name])).settings).toEqual({})
    const enabled = `--${STREAM}.kafka.bindings.input.consumer.enableDlq=true`
    expect((await said([name, enabled])).settings).toMatchObject({deadLetterTopic: 'dead'})
  })

  it('fills placeholders in, with defaults, within each other', async () => {
    const argv = [
      `--${STREAM}.bindings.input.destination=\${base}.\${INPUT_TOPIC:http}`,
      '--base=unused',
      `--${STREAM}.bindings.output.destination=\${other.name:\${base}.out}`,
    ]
    expect((await said(argv, {base: 'b', SPRING_CLOUD_STREAM_INSTANCE_COUNT: '1'})).settings).toEqual({
      input: 'b.http',
      output: 'b.out',
    })
  })

  it('tunings of the Java client are told, and of no effect', async () => {
    const {settings, remarks} = await said([
      `--${STREAM}.kafka.binder.producerProperties.linger.ms=5`,
      `--${STREAM}.kafka.binder.configuration.acks=1`,
      '--logging.level.root=debug',
      '--my.own.thing=1',
      '--inputType=text/plain',
    ])
    expect(settings).toEqual({})
    expect(remarks).toHaveLength(1)
    expect(remarks[0]).toMatch(/^Of no effect here: .*linger\.ms .*acks .*--my\.own\.thing.*--inputType/)
    expect(remarks[0]).not.toContain('logging')
  })
})

describe('what is refused', () => {
  it.each<[string, string, RegExp]>([
    ['bindings.input.consumer.maxAttemps', '4', /maxAttemps is no property/],
    ['kafka.binder.broker', 'a', /no property that is known/],
    ['bindings.output.producer.partitionKeyExpression', 'payload.id', /only payload, key and headers/],
    ['bindings.output.producer.partitionSelectorExpression', '1', /refused/],
    ['kafka.binder.transaction.transactionIdPrefix', 'tx-', /transactions are not supported/],
    ['bindings.input.consumer.batch-mode', 'true', /one by one/],
    ['bindings.input.consumer.headerMode', 'embeddedHeaders', /0\.11/],
    ['kafka.bindings.input.consumer.ackMode', 'MANUAL', /committed/],
    ['kafka.bindings.input.consumer.autoRebalanceEnabled', 'false', /group/],
    ['kafka.bindings.input.consumer.resetOffsets', 'true', /--from-beginning/],
    ['kafka.binder.jaas.loginModule', 'com.sun.security.auth.module.Krb5LoginModule', /PlainLoginModule/],
    ['bindings.input.destination', '${nowhere}', /refers to \$\{nowhere\}, which is set nowhere/],
    ['bindings.input.destination', '${a}', /refers to/],
    ['binders.kafka1.type', 'kafka', /one binder/],
  ])('%s = %s', async (name, value, message) => {
    const error = await refusal([`--${STREAM}.${name}=${value}`])
    expect(error.code).toBe('SETTING_INVALID')
    expect(error.message).toMatch(message)
    expect(error.message).toContain(name)
  })

  it('names what was meant', async () => {
    const {suggestions} = await refusal([`--${STREAM}.bindings.input.consumer.maxAttemps=4`])
    expect(suggestions[0]).toBe(`Did you mean ${STREAM}.bindings.input.consumer.max-attempts?`)
  })

  it('two destinations that are both an input', async () => {
    const argv = [`--${STREAM}.bindings.input.destination=a`, `--${STREAM}.bindings.f-in-0.destination=b`]
    expect((await refusal(argv)).message).toMatch(/several inputs: input and f-in-0/)
  })

  it('a binding that is neither', async () => {
    const {message} = await refusal([`--${STREAM}.bindings.stray.destination=x`])
    expect(message).toMatch(/stray is neither an input nor an output/)
  })

  it('consumer and producer with different credentials', async () => {
    const argv = ['consumer', 'producer'].map(
      (side) => `--${STREAM}.kafka.binder.${side}Properties.sasl.username=${side}`,
    )
    expect((await refusal(argv)).message).toMatch(/both clients are one/)
  })

  it('broken JSON, without a word of it', async () => {
    const error = await refusal([], {SPRING_APPLICATION_JSON: '{"password":"secret'})
    expect(error).toMatchObject({code: 'CONFIG_UNREADABLE'})
    expect(JSON.stringify([error.message, error.suggestions])).not.toContain('secret')
  })

  it('a flag that is none, unless properties of Spring are there', async () => {
    const error = await refusal(['--inptu', 'a'])
    expect(error).toMatchObject({
      code: 'USAGE',
      suggestions: [expect.stringContaining('--input'), expect.anything()],
    })
    await expect(said(['--inptu', 'a', '--server.port=0'])).resolves.toMatchObject({
      remarks: [expect.stringContaining('--inptu')],
    })
  })

  it('words that belong to no flag', async () => {
    expect((await refusal(['--input', 'a', 'b'])).code).toBe('USAGE')
  })
})

describe('plain flags', () => {
  it('are read as oclif would, and = is allowed behind a toggle', async () => {
    const argv = [
      '--input',
      'a',
      '--input=b',
      '--output=c',
      '--once',
      '--no-json',
      '--reversestring=false',
      '-X',
      'a=b',
      '-Xc=d',
    ]
    expect((await said(argv)).flags).toEqual({
      input: ['a', 'b'],
      output: 'c',
      once: true,
      json: false,
      reversestring: 'false',
      'client-option': ['a=b', 'c=d'],
    })
  })

  it.each([[['--output']], [['--output', '--once']], [['--output=a', '--output=b']], [['--no-once=true']]])(
    'refuses %j',
    async (argv) => {
      expect((await refusal(argv)).code).toBe('USAGE')
    },
  )

  it('a service of Kubernetes that is called like a property is none', async () => {
    const env = {
      SPRING_CLOUD_STREAM_APP_SERVICE_HOST: '10.0.0.1',
      SPRING_CLOUD_STREAM_APP_PORT_80_TCP: 'tcp://10.0.0.1:80',
      SERVER_PORT: 'tcp://10.0.0.1:80',
    }
    expect((await said(['--input', 'a'], env)).spring).toBeNull()
    expect((await said(['--spring.application.name=x'], env)).spring?.watch?.server?.port).toBe(8080)
  })
})

describe('where the endpoints are', () => {
  const watch = async (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    (await said([...argv, `--${STREAM}.instanceCount=1`], env)).spring?.watch

  it('are, by default, health and info on all addresses, port 8080', async () => {
    expect(await watch([])).toMatchObject({
      server: {address: '0.0.0.0', port: 8080},
      management: null,
      basePath: '/actuator',
      health: {details: false, components: false, probes: false},
    })
    expect([...((await watch([]))?.endpoints.keys() ?? [])]).toEqual(['health', 'info'])
  })

  it.each<[string[], object]>([
    [['--server.port=9000', '--server.address=127.0.0.1'], {server: {address: '127.0.0.1', port: 9000}}],
    [['--management.server.port=9001'], {server: {port: 8080}, management: {port: 9001}}],
    [['--management.server.port=8080'], {management: null}],
    [['--management.endpoints.web.base-path=/'], {basePath: ''}],
    [
      ['--management.endpoints.web.base-path=/manage/', '--server.servlet.context-path=/app'],
      {basePath: '/app/manage'},
    ],
    [['--management.endpoint.health.show-details=always'], {health: {details: true, components: true}}],
    [['--management.endpoint.health.show-details=when-authorized'], {health: {details: false}}],
    [['--management.endpoint.health.probes.enabled=true'], {health: {probes: true}}],
  ])('%j', async (argv, expected) => {
    expect(await watch(argv)).toMatchObject(expected)
  })

  it('probes are on in Kubernetes', async () => {
    const env = {KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443'}
    expect((await watch([], env))?.health.probes).toBe(true)
  })

  it('shutdown needs its own permission; all others come with *', async () => {
    const all = '--management.endpoints.web.exposure.include=*'
    const ids = async (...argv: string[]) => [...((await watch([all, ...argv]))?.endpoints.keys() ?? [])]
    expect(await ids()).toEqual(['bindings', 'health', 'info', 'metrics', 'prometheus'])
    expect(await ids('--management.endpoint.shutdown.enabled=true')).toContain('shutdown')
    expect(await ids('--management.endpoint.shutdown.access=unrestricted')).toContain('shutdown')
    expect(await ids('--management.endpoints.web.exposure.exclude=bindings')).not.toContain('bindings')
  })

  it('are nowhere with port -1, or when there is to be no web application', async () => {
    expect(await watch(['--server.port=-1'])).toBeNull()
    expect(await watch(['--spring.main.web-application-type=none'])).toBeNull()
  })

  it('refuses what is no port, and TLS', async () => {
    expect((await refusal(['--server.port=http'])).message).toMatch(/--server.port must be a port/)
    expect((await refusal(['--server.ssl.key-store=x'])).message).toMatch(/HTTP only/)
  })

  it('info is told when it is asked for', async () => {
    const argv = ['--info.app.displayName=Peer', '--info.app.version=2']
    expect((await watch(argv))?.info).toEqual({})
    expect((await watch([...argv, '--management.info.env.enabled=true']))?.info).toEqual({
      app: {displayName: 'Peer', version: '2'},
    })
  })

  it('index and shutdown phase', async () => {
    const cwd = await temporaryDirectory()
    await writeFile(
      join(cwd, 'application.properties'),
      'INSTANCE_INDEX=2\nspring.cloud.stream.instanceIndex=2',
    )
    const {spring, settings} = await said(['--spring.lifecycle.timeout-per-shutdown-phase=PT45S'], {}, cwd)
    expect(spring?.watch?.tags).toMatchObject({'application.index': '2'})
    expect(settings).toEqual({shutdownTimeout: '45s'})
  })
})

/** What can be said of the image and the manifests without a cluster: files, flags, probes and times are real. */
import {readdirSync, readFileSync} from 'node:fs'
import {access, readFile} from 'node:fs/promises'
import {createServer, type RequestListener} from 'node:http'
import type {AddressInfo} from 'node:net'
import {fileURLToPath} from 'node:url'
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {loadYaml} from 'cosmiconfig/dist/loaders.js'
import {describe, expect, it, onTestFinished} from 'vitest'
import {CATALOG, fileConsumingSettings} from '../../../src/cli/settings/catalog.js'
import {resolveSettings} from '../../../src/cli/settings/resolve.js'
import {type Settings, text} from '../../../src/cli/settings/setting.js'
import {readArguments} from '../../../src/cli/spring/arguments.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const MANIFESTS = fileURLToPath(new URL('../../../deploy/kubernetes/', import.meta.url))
const dockerfile = readFileSync(`${ROOT}Dockerfile`, 'utf8')

interface Container {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
  readonly env?: readonly {readonly name: string; readonly value?: string}[]
  readonly livenessProbe?: {readonly httpGet: {readonly path: string}}
  readonly readinessProbe?: {readonly httpGet: {readonly path: string}}
  readonly securityContext: Readonly<Record<string, unknown>>
  readonly volumeMounts: readonly {readonly mountPath: string}[]
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: {readonly runAsNonRoot: boolean}
  readonly containers: readonly [Container]
}
interface Manifest {
  readonly kind: string
  readonly spec: {
    readonly template?: {readonly spec: PodSpec}
    readonly jobTemplate?: {readonly spec: {readonly template: {readonly spec: PodSpec}}}
  }
}

const pods = readdirSync(MANIFESTS).map((file) => {
  const manifest = loadYaml(file, readFileSync(MANIFESTS + file, 'utf8')) as Manifest
  const pod = manifest.spec.template?.spec ?? manifest.spec.jobTemplate?.spec.template.spec
  if (pod === undefined) throw new Error(`${file} has no pod`)
  return {file, pod, container: pod.containers[0]}
})

/** Of `process`, whose settings are these and its own. */
const processSettings: Settings = {
  ...fileConsumingSettings,
  plugin: text({group: 'PLUGIN', summary: ''}),
  output: text({group: 'PLUGIN', summary: ''}),
}

function commandOf({image, args}: Container): {
  command: string
  flags: readonly string[]
  settings: Settings
} {
  const [first = '', ...rest] = image.startsWith('streamtool-passthrough') ? ['passthrough', ...args] : args
  const settings = CATALOG[first] ?? (first === 'process' ? processSettings : null)
  if (settings === null) throw new Error(`there is no command ${first}`)
  return {command: first, flags: rest, settings}
}

describe.each(pods)('deploy/kubernetes/$file', ({pod, container}) => {
  const {command, flags: written, settings} = commandOf(container)

  it('has flags that are those of its command, with values that it takes', async () => {
    const {flags, unknown, properties, strayWords} = readArguments(written, settings)
    expect({unknown, properties, strayWords}).toEqual({unknown: [], properties: [], strayWords: 0})
    const env = Object.fromEntries((container.env ?? []).map(({name, value}) => [name, value ?? 'x']))
    const {values} = await resolveSettings(settings, {command, flags, cwd: '/', env, fixedConfigDirs: []})
    const graceMs = pod.terminationGracePeriodSeconds * 1000
    expect(graceMs).toBeGreaterThan(values['shutdownTimeout'] as number)
  })

  it('asks the process whether it lives, and itself whether it is ready', () => {
    if (written.includes('--once')) {
      expect(container.livenessProbe).toBeUndefined()
      return
    }
    expect(written).toContain('--metrics-port=8080')
    expect(container.livenessProbe?.httpGet.path).toBe('/livez')
    expect(container.readinessProbe?.httpGet.path).toBe('/readyz')
  })

  it('is not root, and writes where it may', () => {
    expect(pod.securityContext.runAsNonRoot).toBe(true)
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: {drop: ['ALL']},
    })
    const mounts = container.volumeMounts.map(({mountPath}) => mountPath)
    expect(mounts).toContain('/tmp')
    const output = written.find((flag) => flag.startsWith('--output=/'))?.slice('--output='.length)
    if (output !== undefined) expect(mounts.some((mount) => output.startsWith(`${mount}/`))).toBe(true)
  })
})

describe('the Dockerfile', () => {
  it('copies what is there, and what .dockerignore lets through', async () => {
    const allowed = (await readFile(`${ROOT}.dockerignore`, 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('!'))
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    )
    expect(sources.length).toBeGreaterThan(5)
    for (const source of sources) {
      await access(ROOT + source)
      expect(
        allowed.some((line) => source === line.slice(1) || source.startsWith(`${line.slice(1)}/`)),
        source,
      ).toBe(true)
    }
  })

  it('runs scripts that the package has, as nobody, with the entry points that were promised', async () => {
    const {scripts, bin} = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')) as {
      scripts: Record<string, string>
      bin: {streamtool: string}
    }
    for (const [, script = ''] of dockerfile.matchAll(/npm run (\S+)/g))
      expect(scripts).toHaveProperty(script)
    expect(dockerfile).toContain(`ln -s /opt/streamtool/${bin.streamtool} /usr/local/bin/streamtool`)
    expect(dockerfile).toMatch(/^USER 1000:1000$/m)
    expect(dockerfile).toMatch(/^ENTRYPOINT \["streamtool", "passthrough"\]$/m)
    expect(dockerfile.trimEnd().split('\nFROM ').at(-1)).toMatch(
      /^runtime AS streamtool\n[^]*ENTRYPOINT \["streamtool"\]/,
    )
  })

  it('sets variables that are settings', () => {
    const known = new Set(Object.values(CATALOG).flatMap((settings) => Object.keys(settings)))
    const names = [...dockerfile.matchAll(/STREAMTOOL_([A-Z_]+)=/g)].map(([, name = '']) =>
      name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    )
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) expect([...known]).toContain(name)
  })

  it.each<[number, number]>([
    [200, 0],
    [503, 1],
  ])('asks for its health: %i is %i', async (status, exitCode) => {
    const answer: RequestListener = (_, response) => void response.writeHead(status).end()
    const server = createServer(answer).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const {port} = server.address() as AddressInfo
    const env = {...process.env, STREAMTOOL_HEALTH_URL: `http://127.0.0.1:${port}/livez`}
    const child = spawn(process.execPath, [`${ROOT}deploy/docker/healthcheck.mjs`], {env})
    expect(await once(child, 'exit')).toEqual([exitCode, null])
  })
})

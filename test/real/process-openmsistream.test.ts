import {spawn} from 'node:child_process'
import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {beforeAll, beforeEach, describe, expect, it} from 'vitest'
import type {DeliverReport} from '../../src/core/report.js'
import {streamtool, streamtoolJson} from '../support/cli.js'
import {eventually} from '../support/eventually.js'
import {createTopic} from '../support/kafka-levers.js'
import {
  openMsiStreamConfig,
  openMsiStreamEnvironment,
  startOpenMsiStream,
  type OpenMsiStream,
} from '../support/openmsistream.js'
import {collect, diesWithUs, ended, runOrThrow} from '../support/processes.js'
import {startRealKafka, type RealKafka} from '../support/real-kafka.js'
import {writeTree} from '../support/trees.js'

const FILES = {
  'root scan.csv': 'Angle,Intensity\n10,5\n20,80\n30,7\n',
  'run_1/deep/scan.csv': 'Angle,Intensity\n10,500\n20,8\n',
  "run_1/it's; ü.csv": 'Angle,Intensity\n1,1\n',
}

/** What both make of a file: one analysis, given the text and where the file is. */
const ANALYSIS = `
def analyse(text, path):
    rows = [line.split(",") for line in text.splitlines()[1:]]
    if not rows:
        raise ValueError("no scan points in " + path)
    peak = max(rows, key=lambda row: float(row[1]))
    return {"path": path, "points": len(rows), "peak angle": float(peak[0]), "unit": "°", "none": None}
`
const PROGRAM = `
import json, os, sys
${ANALYSIS}
with open(sys.argv[1], encoding="utf-8") as scan:
    print(json.dumps(analyse(scan.read(), os.environ["STREAMTOOL_FILE_RELATIVE_PATH"])))
`
const REPRODUCER = `
import pathlib, sys
from openmsistream import MetadataJSONReproducer
${ANALYSIS}
class ScanReproducer(MetadataJSONReproducer):
    def _get_metadata_dict_for_file(self, datafile):
        return analyse(datafile.bytestring.decode(), datafile.relative_filepath.as_posix())

if __name__ == "__main__":
    config, source, results, output = sys.argv[1:]
    reproducer = ScanReproducer(pathlib.Path(config), source, results, output_dir=pathlib.Path(output), mode="memory",
        consumer_group_id="create_new", n_consumer_threads=1, n_producer_threads=1)
    reproducer.produce_processing_results_for_files_as_read()
    reproducer.close()
`
/** As somebody reads the messages of a reproducer: texts by key, JSON. */
const READER = `
import json, sys
from confluent_kafka import DeserializingConsumer
from confluent_kafka.serialization import StringDeserializer
bootstrap, topic, count = sys.argv[1:]
consumer = DeserializingConsumer({"bootstrap.servers": bootstrap, "group.id": "reader-" + topic,
  "auto.offset.reset": "earliest", "key.deserializer": StringDeserializer(), "value.deserializer": StringDeserializer()})
consumer.subscribe([topic])
messages = []
for _ in range(60):
    if len(messages) >= int(count): break
    message = consumer.poll(1)
    if message is not None: messages.append([message.key(), json.loads(message.value()), message.value()])
consumer.close()
print(json.dumps(sorted(messages)))
`
/** The registry, through the classes that keep it. */
const REGISTRY_READER = `
import json, pathlib, sys
from openmsistream.data_file_io.actor.file_registry import stream_handler_registries as registries
kind, directory, topic, group, results = sys.argv[1:]
if kind == "processor":
    registry = registries.StreamProcessorRegistry(pathlib.Path(directory), topic, group)
else:
    registry = registries.StreamReproducerRegistry(pathlib.Path(directory), topic, results, group)
done = [[line.filename, line.rel_filepath.as_posix(), line.n_chunks, line.first_message.year > 2000,
         line.processed_at >= line.first_message] for line in registry.succeeded_table.objects]
left = [[line.filename, line.rel_filepath.as_posix(), line.status, line.n_chunks] for line in registry.in_progress_table.objects]
print(json.dumps({"done": sorted(done), "left": sorted(left)}))
`

let kafka: RealKafka
let theirs: OpenMsiStream
let python: string
let home: string
let topic: string
let topics = 0

beforeAll(async () => {
  kafka = await startRealKafka()
  return () => kafka.close()
})

beforeAll(async () => {
  theirs = await startOpenMsiStream(kafka.bootstrap)
  python = join(await openMsiStreamEnvironment(), 'bin', 'python')
  return () => theirs.close()
})

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'streamtool-process-'))
  topic = `scans-${++topics}`
  for (const name of [topic, `${topic}-ours`, `${topic}-theirs`]) await createTopic(kafka.bootstrap, name, 2)
  const sources = {
    'analyse.py': PROGRAM,
    'reproduce.py': REPRODUCER,
    'read.py': READER,
    'registry.py': REGISTRY_READER,
  }
  for (const [name, source] of Object.entries(sources)) await writeFile(join(home, name), source)
  return () => rm(home, {recursive: true})
})

const processArguments = (...more: string[]) => [
  ...['process', '--topic', topic, '--brokers', kafka.bootstrap, '--group', 'g', '--once'],
  ...['--output', join(home, 'out'), '--exec', `${python} '${join(home, 'analyse.py')}' {path}`, ...more],
]
const withPython = async <Answer>(script: string, ...args: string[]): Promise<Answer> => {
  const {stdout} = await runOrThrow(python, [join(home, script), ...args], {cwd: home})
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Answer
}
const readResults = (name: string, count: number) =>
  withPython<[string, unknown, string][]>('read.py', kafka.bootstrap, name, String(count))

/** Their reproducer over the same topic, until it has produced so many results. */
async function reproduceWithTheirs(count: number): Promise<void> {
  const config = join(home, 'reproduce.config')
  const text = openMsiStreamConfig(kafka.bootstrap)
  await writeFile(
    config,
    text.replace('value.serializer = DataFileChunkSerializer', 'value.serializer = StringSerializer'),
  )
  const child = spawn(
    python,
    [join(home, 'reproduce.py'), config, topic, `${topic}-theirs`, join(home, 'theirs')],
    {cwd: home},
  )
  diesWithUs(child)
  const parts = [collect(child.stdout), collect(child.stderr)]
  const gone = ended(child)
  try {
    await eventually(
      `their reproducer has produced ${count} results`,
      async () => {
        if (child.exitCode !== null) throw new Error(parts.map((part) => part().toString()).join(''))
        return (await resultsProduced()) >= count
      },
      120_000,
      1000,
    )
    child.stdin.end('q\n')
    await gone
  } finally {
    child.kill('SIGKILL')
  }
}
async function resultsProduced(): Promise<number> {
  const {stdout} = await runOrThrow('sh', [
    ...[
      '-c',
      'cat "$0"/LOGS/results_produced_to_*.csv 2>/dev/null | grep -c "\';" || true',
      join(home, 'theirs'),
    ],
  ])
  return Number(stdout)
}

describe('a Python analysis by --exec, on files that OpenMSIStream uploaded', () => {
  it('sends the messages that its MetadataJSONReproducer would have sent', async () => {
    await writeTree(join(home, 'in'), FILES)
    await theirs.uploadDirectory(join(home, 'in'), topic)
    const report = await streamtoolJson<DeliverReport>(
      processArguments('--result-topic', `${topic}-ours`, '--registry', join(home, 'registry')),
    )
    expect(report).toMatchObject({problems: [], files: {delivered: 3, failed: 0}})
    await reproduceWithTheirs(3)
    const ours = await readResults(`${topic}-ours`, 3)
    expect(ours).toEqual(await readResults(`${topic}-theirs`, 3))
    expect(ours.map(([key]) => key)).toEqual([
      '_root scan.csv_chunk_processing_result',
      'run_1_deep_scan.csv_chunk_processing_result',
      "run_1_it's; ü.csv_chunk_processing_result",
    ])
    expect(
      await withPython('registry.py', 'reproducer', join(home, 'registry'), topic, 'g', `${topic}-ours`),
    ).toEqual({
      done: [
        ["it's; ü.csv", "run_1/it's; ü.csv", 1, true, true],
        ['root scan.csv', 'root scan.csv', 1, true, true],
        ['scan.csv', 'run_1/deep/scan.csv', 1, true, true],
      ],
      left: [],
    })
  })

  it('holds what the analysis fails on, and its registry classes read which', async () => {
    await writeTree(join(home, 'in'), {...FILES, 'run_1/empty.csv': 'Angle,Intensity\n'})
    await theirs.uploadDirectory(join(home, 'in'), topic)
    const ended = await streamtool([
      ...processArguments('--registry', join(home, 'registry'), '--attempts', '1'),
      '--json',
    ])
    expect(ended.exitCode).toBe(4)
    expect(await readdir(join(home, 'registry'))).toHaveLength(2)
    const report = JSON.parse(ended.stdout) as DeliverReport
    expect(report).toMatchObject({files: {delivered: 3, failed: 1, held: 1}})
    expect(report.problems).toMatchObject([
      {
        path: 'run_1/empty.csv',
        reason: expect.stringContaining('ValueError: no scan points in run_1/empty.csv') as string,
      },
    ])
    expect(
      await withPython('registry.py', 'processor', join(home, 'registry'), topic, 'g', ''),
    ).toMatchObject({
      done: [{1: "run_1/it's; ü.csv"}, {1: 'root scan.csv'}, {1: 'run_1/deep/scan.csv'}],
      left: [['empty.csv', 'run_1/empty.csv', 'failed', 1]],
    })
  })
})

import {isInstalled, runOrThrow} from './processes.js'

export interface KcatRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Names and values as kcat prints them; a header's value has to be text to be recognised here. */
  readonly headers: readonly string[]
}

/** Every record of a topic, as kcat (librdkafka) reads it, in the order in which it came. */
export async function kcatRead(bootstrap: string, topic: string): Promise<KcatRecord[]> {
  await requireKcat()
  // Sizes come first, so that bytes of any kind can stand between the marks; -1 is null.
  const format = '%p %o %T %K %S %h\\n%k%s\\n'
  const {stdoutBytes} = await runOrThrow('kcat', [
    ...['-C', '-q', '-e', '-b', bootstrap, '-t', topic, '-o', 'beginning', '-f', format],
  ])
  return parse(stdoutBytes)
}

/** Whole records as one batch, each `key:value`. */
export async function kcatWrite(
  bootstrap: string,
  topic: string,
  lines: readonly string[],
  ...args: string[]
): Promise<void> {
  await requireKcat()
  await runOrThrow('kcat', ['-P', '-b', bootstrap, '-t', topic, '-K:', ...args], {stdin: lines.join('\n')})
}

async function requireKcat(): Promise<void> {
  if (!(await isInstalled('kcat'))) throw new Error('kcat is not installed (Debian: apt-get install kcat)')
}

function parse(output: Buffer): KcatRecord[] {
  const records: KcatRecord[] = []
  let position = 0
  while (position < output.length) {
    const lineEnd = output.indexOf('\n', position)
    const [partition, offset, timestampMs, keyBytes, valueBytes, ...headers] = output
      .toString('utf8', position, lineEnd)
      .split(' ')
    position = lineEnd + 1
    const take = (size: string | undefined): Buffer | null => {
      if (Number(size) < 0) return null
      const bytes = output.subarray(position, position + Number(size))
      position += Number(size)
      return bytes
    }
    const key = take(keyBytes)
    const value = take(valueBytes)
    position += 1
    records.push({
      partition: Number(partition),
      offset: Number(offset),
      timestampMs: Number(timestampMs),
      key,
      value,
      headers: headers.join(' ').split(',').filter(Boolean),
    })
  }
  return records
}

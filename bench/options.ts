import {parseArgs} from 'node:util'

export interface Options {
  /** Small inputs, one round, nothing written. */
  readonly quick: boolean
  /** Only the jobs whose id contains one of these; nothing written. */
  readonly only: readonly string[]
}

export const USAGE = `npm run bench -- [--quick] [--only TEXT]...

Measures streamtool beside OpenMSIStream on an Apache Kafka of its own and writes docs/benchmarks.md and
bench/results/latest.json. Takes about half an hour; leave the machine alone meanwhile.

  --quick      Small inputs and one round, to see that it works; prints, and writes nothing
  --only TEXT  Only jobs whose id contains TEXT; prints, and writes nothing
`

/** @returns null when help was asked for */
export function parseOptions(args: readonly string[]): Options | null {
  const {values} = parseArgs({
    args: [...args],
    options: {
      quick: {type: 'boolean', default: false},
      only: {type: 'string', multiple: true, default: []},
      help: {type: 'boolean', short: 'h', default: false},
    },
  })
  return values.help ? null : {quick: values.quick, only: values.only}
}

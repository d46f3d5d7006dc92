import {parseArgs} from 'node:util'

export interface Options {
  /** Small inputs, one round, nothing written. */
  readonly quick: boolean
  /** Only the jobs whose id contains one of these; written only under a name. */
  readonly only: readonly string[]
  /** Of a page of its own. */
  readonly page: string | null
  /** Fewer rounds than each job would have; null leaves them. */
  readonly rounds: number | null
}

export const USAGE = `npm run bench -- [--quick] [--rounds N] [--only TEXT]... [--page NAME]

Measures streamtool beside OpenMSIStream on an Apache Kafka of its own and writes docs/benchmarks.md and
bench/results/latest.json. Takes about half an hour; leave the machine alone meanwhile.

  --quick      Small inputs and one round, to see that it works; prints, and writes nothing
  --rounds N   At most so many rounds of each job: sooner done, less to be relied on
  --only TEXT  Only jobs whose id contains TEXT; prints, and writes nothing
  --page NAME  Writes what was measured to docs/benchmarks-NAME.md and bench/results/NAME.json instead
`

/** @returns null when help was asked for */
export function parseOptions(args: readonly string[]): Options | null {
  const {values} = parseArgs({
    args: [...args],
    options: {
      quick: {type: 'boolean', default: false},
      only: {type: 'string', multiple: true, default: []},
      rounds: {type: 'string'},
      page: {type: 'string'},
      help: {type: 'boolean', short: 'h', default: false},
    },
  })
  if (values.help) return null
  const rounds = values.rounds === undefined ? null : Number(values.rounds)
  if (rounds !== null && !(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds takes a number')
  const page = values.page ?? null
  if (page !== null && !/^[a-z0-9-]+$/.test(page))
    throw new Error('--page takes lower-case letters and digits')
  return {quick: values.quick, only: values.only, rounds, page}
}

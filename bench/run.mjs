// The benchmarks are TypeScript; tsx runs them without a build.
import {register} from 'tsx/esm/api'

register()
await import('./main.ts')

/** `npm test`: everything that needs nothing but Node. */
import {buildIfStale, npmScript, runSteps, vitest} from './support/steps.mjs'

await runSteps([
  npmScript('check:types'),
  npmScript('check:lint'),
  npmScript('check:format'),
  npmScript('check:layers'),
  buildIfStale(),
  vitest('unit', 'property', 'contract', 'integration', 'e2e'),
])

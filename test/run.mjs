/** `npm test`: everything that needs nothing but Node. */
import {beside, buildIfStale, npmScript, runSteps, vitest} from './support/steps.mjs'

await runSteps([
  buildIfStale(),
  beside(
    vitest('unit', 'property', 'contract', 'integration', 'e2e'),
    npmScript('check:types'),
    npmScript('check:lint'),
    npmScript('check:format'),
    npmScript('check:layers'),
  ),
])

/** `npm run test:real`: the suites on Apache Kafka, OpenMSIStream, Spring Cloud Stream and versitygw, which it starts, and stops, itself. */
import {buildIfStale, missingPrograms, runSteps, vitest} from '../support/steps.mjs'

const missing = await missingPrograms('java', 'javac', 'mvn', 'python3', 'kcat', 'go')
if (missing.length > 0) {
  console.error(`These tests need programs that are not installed here: ${missing.join(', ')}.`)
  console.error('On Debian: apt-get install openjdk-17-jdk-headless maven python3-venv kcat golang')
  console.log('\n0 passed, 1 failed')
  process.exitCode = 1
} else {
  await runSteps([buildIfStale(), vitest('real')])
}

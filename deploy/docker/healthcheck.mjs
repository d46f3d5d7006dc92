/** Whether the process in this container answers. STREAMTOOL_HEALTH_URL says where, when it is not on port 8080. */
const url = process.env.STREAMTOOL_HEALTH_URL ?? 'http://127.0.0.1:8080/livez'
const answer = await fetch(url, {signal: AbortSignal.timeout(4_000)}).catch(() => null)
process.exitCode = answer?.ok === true ? 0 : 1

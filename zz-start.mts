import {startRealKafka} from '/tmp/me/test/support/real-kafka.ts'
import {writeFileSync} from 'node:fs'
const k = await startRealKafka({javaOptions: ['-Xmx1g','-Xms512m']})
writeFileSync('/tmp/sp/bootstrap', k.bootstrap)
process.on('SIGTERM', async () => { await k.close(); process.exit(0) })
setInterval(()=>{},1e6)

import {startVersitygw} from './test/support/versitygw.ts'
import {writeFileSync} from 'node:fs'
import {S3Client, CreateBucketCommand} from '@aws-sdk/client-s3'
process.chdir('/tmp/sp')
const g = await startVersitygw()
const s3 = new S3Client({endpoint: g.endpoint, region: g.region, forcePathStyle: true, credentials: {accessKeyId: g.accessKeyId, secretAccessKey: g.secretAccessKey}})
await s3.send(new CreateBucketCommand({Bucket: 'bench'}))
writeFileSync('/tmp/sp/s3env', `export AWS_ACCESS_KEY_ID=${g.accessKeyId} AWS_SECRET_ACCESS_KEY=${g.secretAccessKey} AWS_REGION=${g.region} AWS_ENDPOINT_URL=${g.endpoint}\n`)
process.on('SIGTERM', async () => { await g.close(); process.exit(0) })
setInterval(()=>{},1e6)

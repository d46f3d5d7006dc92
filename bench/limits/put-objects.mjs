// Puts a directory of files into a bucket, each with one request, 16 side by side: no topic, no SDK, no checksums.
import {createHash, createHmac} from 'node:crypto'
import {createReadStream} from 'node:fs'
import {readdir, stat} from 'node:fs/promises'
import {Agent, request} from 'node:http'
import {join} from 'node:path'

const SIDE_BY_SIDE = 16
const UNSIGNED = 'UNSIGNED-PAYLOAD'

const [from, bucket, prefix] = process.argv.slice(2)
const {S3_ENDPOINT, S3_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY} = process.env
const agent = new Agent({keepAlive: true, maxSockets: SIDE_BY_SIDE})
const entries = await readdir(from, {recursive: true, withFileTypes: true})
const paths = entries
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1))

const putInTurn = async () => {
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) await put(path)
}
await Promise.all(Array.from({length: SIDE_BY_SIDE}, putInTurn))
agent.destroy()

async function put(path) {
  const file = join(from, path)
  const url = new URL(`/${bucket}/${prefix}/${path}`, S3_ENDPOINT)
  const headers = {...signed('PUT', url), 'content-length': (await stat(file)).size}
  await new Promise((resolve, reject) => {
    const sending = request(url, {method: 'PUT', agent, headers}, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === 200) resolve()
        else reject(new Error(`${path}: ${answer.statusCode}`))
      })
    })
    sending.once('error', reject)
    createReadStream(file, {highWaterMark: 1 << 20})
      .once('error', reject)
      .pipe(sending)
  })
}

// AWS Signature Version 4 over host, date and the word that the body is not signed.
function signed(method, {host, pathname}) {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const day = time.slice(0, 8)
  const scope = `${day}/${S3_REGION}/s3/aws4_request`
  const names = 'host;x-amz-content-sha256;x-amz-date'
  const canonical = [
    ...[method, pathname, '', `host:${host}`, `x-amz-content-sha256:${UNSIGNED}`, `x-amz-date:${time}`],
    ...['', names, UNSIGNED],
  ].join('\n')
  const hash = createHash('sha256').update(canonical).digest('hex')
  const key = [day, S3_REGION, 's3', 'aws4_request'].reduce(hmac, `AWS4${AWS_SECRET_ACCESS_KEY}`)
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash}`).toString('hex')
  return {
    authorization: `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    'x-amz-content-sha256': UNSIGNED,
    'x-amz-date': time,
  }
}

function hmac(key, text) {
  return createHmac('sha256', key).update(text).digest()
}

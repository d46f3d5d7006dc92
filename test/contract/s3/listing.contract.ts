import {
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import {describe, expect} from 'vitest'
import {BUCKET, type S3Contract} from './suite.js'

/** In the order of a listing. */
const KEYS = ['list/a', 'list/b/1', 'list/b/2', 'list/c', 'list/d/e/1', 'list/z <&>']

export function listingContract({client, promises}: S3Contract): void {
  const putAll = async (keys: readonly string[]) => {
    for (const Key of keys) await client().send(new PutObjectCommand({Bucket: BUCKET, Key, Body: Key}))
  }
  const list = async (options: Partial<ListObjectsV2CommandInput>) => {
    const page = await client().send(new ListObjectsV2Command({Bucket: BUCKET, ...options}))
    return {
      ...page,
      keys: (page.Contents ?? []).map(({Key}) => Key),
      prefixes: (page.CommonPrefixes ?? []).map(({Prefix}) => Prefix),
    }
  }

  describe('objects', () => {
    promises('are listed under a prefix, with size and ETag', async () => {
      await putAll(KEYS)
      const {keys, Contents, KeyCount, IsTruncated} = await list({Prefix: 'list/'})
      expect(keys).toEqual(KEYS)
      expect([KeyCount, IsTruncated]).toEqual([KEYS.length, false])
      expect(Contents?.[0]).toMatchObject({
        Size: 6,
        ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/) as string,
      })
      expect((await list({Prefix: 'nothing/'})).keys).toEqual([])
    })

    promises('are rolled up at a delimiter', async () => {
      await putAll(KEYS)
      const {keys, prefixes} = await list({Prefix: 'list/', Delimiter: '/'})
      expect(keys).toEqual(['list/a', 'list/c', 'list/z <&>'])
      expect(prefixes).toEqual(['list/b/', 'list/d/'])
    })

    for (const delimiter of [undefined, '/'])
      promises(`are listed page by page${delimiter ? ', rolled up' : ''}`, async () => {
        await putAll(KEYS)
        const delimited = {Prefix: 'list/', ...(delimiter && {Delimiter: delimiter})}
        const whole = await list(delimited)
        const seen: (string | undefined)[] = []
        for (let token: string | undefined; ;) {
          const page = await list({...delimited, MaxKeys: 2, ...(token && {ContinuationToken: token})})
          expect(page.keys.length + page.prefixes.length).toBeLessThanOrEqual(2)
          seen.push(...page.keys, ...page.prefixes)
          if (page.IsTruncated !== true) break
          token = page.NextContinuationToken
        }
        expect(seen.sort()).toEqual([...whole.keys, ...whole.prefixes].sort())
      })

    promises('are listed from after a key', async () => {
      await putAll(KEYS)
      expect((await list({Prefix: 'list/', StartAfter: 'list/b/1'})).keys).toEqual(KEYS.slice(2))
    })

    promises('are listed in the order of their bytes', async () => {
      const keys = ['order/A', 'order/a', 'order/é', 'order/\uffee', 'order/🦊']
      await putAll([...keys].reverse())
      expect((await list({Prefix: 'order/'})).keys).toEqual(keys)
    })

    promises('are listed the old way too', async () => {
      await putAll(KEYS)
      const page = (Marker: string) =>
        client().send(new ListObjectsCommand({Bucket: BUCKET, Prefix: 'list/', MaxKeys: 4, Marker}))
      const first = await page('')
      const second = await page(first.Contents!.at(-1)!.Key!)
      expect([...first.Contents!, ...second.Contents!].map(({Key}) => Key)).toEqual(KEYS)
      expect([first.IsTruncated, second.IsTruncated]).toEqual([true, false])
    })
  })
}

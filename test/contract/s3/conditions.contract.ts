import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import {describe, expect} from 'vitest'
import {outcome} from './outcome.js'
import {BUCKET, type S3Contract} from './suite.js'

export function conditionsContract({client, promises}: S3Contract): void {
  const put = (Key: string, Body: string, options: Partial<PutObjectCommandInput> = {}) =>
    client().send(new PutObjectCommand({Bucket: BUCKET, Key, Body, ...options}))
  const read = async (Key: string) => {
    const {Body} = await client().send(new GetObjectCommand({Bucket: BUCKET, Key}))
    return Body!.transformToString()
  }

  describe('a write', () => {
    promises('with If-None-Match: * only makes', async () => {
      await put('conditions/new', 'first', {IfNoneMatch: '*'})
      const again = put('conditions/new', 'second', {IfNoneMatch: '*'})
      await expect(again).rejects.toMatchObject({
        name: 'PreconditionFailed',
        $metadata: {httpStatusCode: 412},
      })
      expect(await read('conditions/new')).toBe('first')
    })

    promises('with If-Match only replaces what it knows', async () => {
      const {ETag} = await put('conditions/known', 'first')
      await put('conditions/known', 'second', {IfMatch: ETag})
      const again = put('conditions/known', 'third', {IfMatch: ETag})
      await expect(again).rejects.toMatchObject({
        name: 'PreconditionFailed',
        $metadata: {httpStatusCode: 412},
      })
      expect(await read('conditions/known')).toBe('second')
    })

    promises('with If-Match needs something to replace', async () => {
      const absent = put('conditions/absent', 'x', {IfMatch: '"5d41402abc4b2a76b9719d911017c592"'})
      await expect(absent).rejects.toMatchObject({$metadata: {httpStatusCode: 404}})
    })

    promises('with If-None-Match: * is won by exactly one of many', async () => {
      const bodies = Array.from({length: 12}, (_, index) => `${index}`.repeat(100_000))
      const outcomes = await Promise.all(
        bodies.map((body) => outcome(put('conditions/race', body, {IfNoneMatch: '*'}))),
      )
      const winners = bodies.filter((_, index) => outcomes[index] === 'done')
      expect(winners).toHaveLength(1)
      const losses = outcomes.filter((name) => name !== 'done')
      for (const name of losses) expect(['PreconditionFailed', 'ConditionalRequestConflict']).toContain(name)
      expect(await read('conditions/race')).toBe(winners[0])
    })
  })

  promises('a read with If-None-Match or If-Match depends on what is there', async () => {
    const {ETag} = await put('conditions/read', 'x')
    const head = (options: object) =>
      client().send(new HeadObjectCommand({Bucket: BUCKET, Key: 'conditions/read', ...options}))
    await expect(head({IfNoneMatch: ETag})).rejects.toMatchObject({$metadata: {httpStatusCode: 304}})
    await expect(head({IfMatch: '"other"'})).rejects.toMatchObject({$metadata: {httpStatusCode: 412}})
    await head({IfMatch: ETag, IfNoneMatch: '"other"'})
  })
}

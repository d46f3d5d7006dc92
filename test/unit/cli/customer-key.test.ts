import {randomBytes} from 'node:crypto'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {readCustomerKey} from '../../../src/cli/customer-key.js'
import {temporaryDirectory} from '../../support/temporary-directory.js'

const key = randomBytes(32)

describe('the file of --sse-c-key-file', () => {
  it.each([
    ['as they are', key],
    ['in base64', key.toString('base64')],
    ['in hexadecimal, on a line', `${key.toString('hex')}\n`],
  ])('has 32 bytes, %s', async (_, content) => {
    const file = join(await temporaryDirectory(), 'key')
    await writeFile(file, content)
    expect(await readCustomerKey(file)).toEqual(key)
  })

  it('with anything else is refused, and nothing of it is repeated', async () => {
    const file = join(await temporaryDirectory(), 'key')
    await writeFile(file, 'secret, but no key')
    const refused = await readCustomerKey(file).catch((thrown: unknown) => thrown)
    expect(refused).toMatchObject({code: 'SETTING_INVALID'})
    expect(JSON.stringify(refused) + String(refused)).not.toContain('secret, but')
    await expect(readCustomerKey(`${file}-missing`)).rejects.toThrow('cannot be read (ENOENT)')
  })
})

import {startVersitygw, type Versitygw} from '../versitygw.js'
import {startStore, type StoreUnderTest} from './bucket-under-test.js'

export interface VersitygwStore extends StoreUnderTest {
  /** Behind the faults. */
  readonly gateway: Versitygw
}

/** A bucket in versitygw, on the way to which calls can go wrong. */
export async function startVersitygwStore(): Promise<VersitygwStore> {
  const gateway = await startVersitygw()
  const store = await startStore(gateway).catch(async (thrown: unknown) => {
    await gateway.close()
    throw thrown
  })
  const close = async (): Promise<void> => {
    await store.close()
    await gateway.close()
  }
  return {...store, gateway, close}
}

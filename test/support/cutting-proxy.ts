import {connect, createServer, type AddressInfo, type Socket} from 'node:net'

/** A wire to a broker that can be cut. */
export interface CuttingProxy {
  readonly bootstrap: string
  /** Connections that stand now. */
  readonly standing: number
  /** What went over it until now. */
  readonly traffic: {readonly toBroker: number; readonly fromBroker: number}
  /** Ends every connection in both directions: `end` as a broker that shuts down, `reset` as a crash. */
  cut(how: 'end' | 'reset'): void
  close(): Promise<void>
}

/**
 * Brokers tell clients their own address, so that these would go around the proxy: wherever the broker names it,
 * the proxy puts its own port (host:string port:int32 in Metadata and FindCoordinator answers).
 */
export async function startCuttingProxy(brokerBootstrap: string): Promise<CuttingProxy> {
  const [host = '', port = ''] = brokerBootstrap.split(':')
  const wires = new Set<{client: Socket; broker: Socket}>()
  const traffic = {toBroker: 0, fromBroker: 0}
  const server = createServer((client) => {
    const broker = connect(Number(port), host)
    const wire = {client, broker}
    wires.add(wire)
    const end = () => {
      wires.delete(wire)
      client.destroy()
      broker.destroy()
    }
    for (const socket of [client, broker]) socket.on('close', end).on('error', () => undefined)
    client.on('data', (bytes) => {
      traffic.toBroker += bytes.length
      broker.write(bytes)
    })
    broker.on('data', (bytes) => {
      traffic.fromBroker += bytes.length
      client.write(renamed(bytes))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = (server.address() as AddressInfo).port
  const told = addressBytes(host, Number(port))
  const instead = addressBytes(host, own)

  function renamed(bytes: Buffer): Buffer {
    for (let at = bytes.indexOf(told); at !== -1; at = bytes.indexOf(told, at + 1)) instead.copy(bytes, at)
    return bytes
  }

  return {
    bootstrap: `127.0.0.1:${own}`,
    get standing() {
      return wires.size
    },
    traffic,
    cut(how) {
      for (const {client, broker} of wires) {
        broker.destroy()
        if (how === 'reset') client.resetAndDestroy()
        else client.end()
      }
    },
    close: async () => {
      for (const {client, broker} of wires) {
        client.destroy()
        broker.destroy()
      }
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function addressBytes(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(2 + host.length + 4)
  bytes.writeInt16BE(host.length)
  bytes.write(host, 2)
  bytes.writeInt32BE(port, 2 + host.length)
  return bytes
}

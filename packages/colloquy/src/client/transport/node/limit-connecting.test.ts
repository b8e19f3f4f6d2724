import assert from 'node:assert/strict'
import net, { type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { until } from '../../../../../../test/until.ts'
import { nodeTransport } from './node-transport.ts'

/** A server that opens tunnels, and says nothing to a TLS handshake. */
async function silentServer(t: TestContext): Promise<{ host: string; hellos: number }> {
  const seen = { host: '', hellos: 0 }
  const server = net.createServer((socket) => {
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    socket.on('data', (data) => {
      if (data[0] === 0x16) seen.hellos++
      else socket.write('HTTP/1.1 200 OK\r\n\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  seen.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return seen
}

for (const [where, transport, proxy] of [
  ['over sockets', 'sockets', ''],
  ['over node:https', 'node', ''],
  ['in the tunnel of a proxy', 'sockets', 'http:'],
  ['with a proxy', 'sockets', 'https:'],
] as const) {
  test(`a TLS handshake ${where} has ten seconds`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const server = await silentServer(t)
    const send = nodeTransport({ transport, proxy: proxy && `${proxy}//${server.host}` })
    const url = `https://${proxy ? 'api.test' : server.host}/`
    const failed = assert.rejects(send({ method: 'GET', url, headers: {}, body: undefined }).response, {
      name: 'APIConnectionError',
      code: 'ETIMEDOUT',
    })
    await until(() => server.hellos === 1)
    t.mock.timers.tick(10_000)
    await failed
  })
}

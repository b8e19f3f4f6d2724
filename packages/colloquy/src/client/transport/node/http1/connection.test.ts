import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { channel } from 'node:diagnostics_channel'
import http from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import tls from 'node:tls'
import { test, type TestContext } from 'node:test'
import { selfSigned } from '../../../../../../../bench/client/certificate.ts'
import { until } from '../../../../../../../test/until.ts'
import { readBody } from '../../../request/response.ts'
import type { WireRequest } from '../../transport.ts'
import { nodeTransport } from '../node-transport.ts'

const send = nodeTransport({ proxy: false, transport: 'sockets' })

interface RawServer {
  url: string
  /** The requests that arrived complete, as text. */
  requests: string[]
  /** The connections, in the order in which they were opened. */
  sockets: Socket[]
}

type Respond = (socket: Socket, request: number) => void

/** A server that responds with bytes of its own. */
async function rawServer(t: TestContext, respond: Respond, host = '127.0.0.1'): Promise<RawServer> {
  const requests: string[] = []
  const sockets: Socket[] = []
  const server = net.createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    collect(socket, requests, respond)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, requests, sockets }
}

function collect(socket: Socket, requests: string[], respond: Respond): void {
  let received = ''
  socket.on('data', (data) => {
    received += data.toString('latin1')
    const end = received.indexOf('\r\n\r\n')
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0)
    if (end < 0 || received.length < end + 4 + length) return
    requests.push(received)
    received = ''
    respond(socket, requests.length)
  })
}

const response = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const says: Respond = (socket) => void socket.write(response('hi'))

function requestOf(url: string, changes: Partial<WireRequest> = {}): WireRequest {
  return { method: 'POST', url: `${url}/v1/messages?a=b`, headers: { 'x-test': 'yes' }, body: '{}', ...changes }
}

async function textOf(url: string, changes?: Partial<WireRequest>): Promise<string> {
  return readBody(await send(requestOf(url, changes)).response)
}

const pause = (ms = 20): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

// Requests

test('a request is one write of its head and body', async (t) => {
  const server = await rawServer(t, says)
  assert.equal(await textOf(server.url, { body: '{"é":1}' }), 'hi')
  const { host } = new URL(server.url)
  assert.equal(
    Buffer.from(server.requests[0]!, 'latin1').toString(),
    `POST /v1/messages?a=b HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\nx-test: yes\r\ncontent-length: 8\r\n\r\n{"é":1}`,
  )
})

test('each request to a URL has its own headers', async (t) => {
  const server = await rawServer(t, says)
  const sent: Record<string, string>[] = []
  for (const headers of [{ a: '1' }, { a: '1' }, { a: '1', b: '2' }, { a: '1', c: '2' }, {}, { b: '2' }, { b: '3' }]) {
    sent.push(headers)
    await textOf(server.url, { headers, body: 'é'.repeat(sent.length) })
  }
  const fieldsOf = (text: string): string[][] => text.split('\r\n').map((line) => line.split(': '))
  assert.deepEqual(
    server.requests.map((text) => Object.fromEntries(fieldsOf(text).filter(([name]) => /^[abc]$/.test(name!)))),
    sent,
  )
  assert.deepEqual(
    server.requests.map((text) => /content-length: (\d+)/.exec(text)?.[1]),
    sent.map((_, index) => `${2 * index + 2}`),
  )
})

test('headers that a caller changes between two requests are sent as they are then', async (t) => {
  const server = await rawServer(t, says)
  const headers: Record<string, string> = { a: '1' }
  await textOf(server.url, { headers })
  headers['a'] = '2'
  await textOf(server.url, { headers })
  assert.match(server.requests[1]!, /\r\na: 2\r\n/)
})

test('a header value that is not ASCII is sent as latin1 beside a body in UTF-8', async (t) => {
  const server = await rawServer(t, says)
  await textOf(server.url, { headers: { 'x-test': 'caf\xe9' }, body: '"é"' })
  assert.match(server.requests[0]!, /x-test: caf\xe9\r\n/)
  assert.match(server.requests[0]!, /"\xc3\xa9"$/)
  await textOf(server.url, { headers: { 'x-test': 'caf\xe9' }, body: '"e"' })
  assert.match(server.requests[1]!, /x-test: caf\xe9\r\n[^]*"e"$/)
})

test('only methods with a body announce an empty one', async (t) => {
  const server = await rawServer(t, says)
  for (const method of ['POST', 'PUT', 'PATCH', 'GET', 'DELETE']) await textOf(server.url, { method, body: undefined })
  assert.deepEqual(
    server.requests.map((text) => /content-length: \d+/.exec(text)?.[0]),
    ['content-length: 0', 'content-length: 0', 'content-length: 0', undefined, undefined],
  )
})

test('a header that could end its line is refused before anything is sent', async (t) => {
  const server = await rawServer(t, says)
  for (const headers of [{ a: 'b\r\nc: d' }, { a: 'b\0' }, { 'a b': 'c' }, { '': 'c' }, { a: 'ā' }] as const) {
    await assert.rejects(send(requestOf(server.url, { headers: { ...headers } })).response, {
      name: 'APIConnectionError',
      code: 'ERR_INVALID_CHAR',
    })
  }
  assert.deepEqual(server.requests, [])
})

// Connections

test('requests use one connection one after the other, and several at once', async (t) => {
  const server = await rawServer(t, (socket) => setTimeout(says, 20, socket))
  await textOf(server.url)
  await textOf(server.url)
  assert.equal(server.sockets.length, 1)
  await Promise.all([textOf(server.url), textOf(server.url), textOf(server.url)])
  assert.equal(server.sockets.length, 3)
})

const closing: Record<string, (socket: Socket) => void> = {
  'connection: close': (socket) => void socket.write(response('hi', 'connection: close\r\n')),
  'one of several connection options': (socket) => void socket.write(response('hi', 'connection: x, Close\r\n')),
  'HTTP/1.0': (socket) => void socket.write(response('hi').replace('1.1', '1.0')),
  'chunks in HTTP/1.0': (socket) =>
    void socket.write(
      'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
    ),
  'a keep-alive that is over in a second': (socket) =>
    void socket.write(response('hi', 'keep-alive: timeout=1, max=100\r\n')),
  'bytes after the body': (socket) => void socket.write(`${response('hi')}${response('ho')}`),
  'bytes while idle': (socket) => {
    socket.write(response('hi'))
    setTimeout(() => socket.write(response('ho')), 5)
  },
}

for (const [name, respond] of Object.entries(closing)) {
  test(`the next request uses a new connection after ${name}`, async (t) => {
    const server = await rawServer(t, respond)
    assert.equal(await textOf(server.url), 'hi')
    await until(() => server.sockets[0]!.destroyed || server.sockets[0]!.readableEnded)
    assert.equal(await textOf(server.url), 'hi')
    assert.equal(server.sockets.length, 2)
  })
}

test('an idle connection is not used within a second of its announced end', async (t) => {
  const server = await rawServer(t, (socket) => void socket.write(response('hi', 'Keep-Alive: timeout=2\r\n')))
  await textOf(server.url)
  await pause(500)
  await textOf(server.url)
  assert.equal(server.sockets.length, 1)
  await pause(1100)
  await textOf(server.url)
  assert.equal(server.sockets.length, 2)
})

test('an idle connection is not used after the machine has slept for minutes', async (t) => {
  const server = await rawServer(t, says)
  await textOf(server.url)
  const wokenAt = Date.now() + 301_000
  t.mock.method(Date, 'now', () => wokenAt)
  await textOf(server.url)
  await textOf(server.url)
  assert.equal(server.sockets.length, 2)
})

test('a response that ends before the request was sent closes the connection', { timeout: 120_000 }, async (t) => {
  let closed: Promise<unknown> | undefined
  const server = net.createServer((socket) => {
    closed = new Promise((resolve) => socket.on('error', () => {}).on('close', resolve))
    socket.once('data', () => {
      // The rest of the request waits until the response has been read.
      socket.pause()
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno')
      setTimeout(() => socket.resume(), 100)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const reply = await send(requestOf(url, { body: 'x'.repeat(32 * 1024 * 1024) })).response
  assert.deepEqual([reply.status, await readBody(reply)], [413, 'no'])
  await closed
})

test('a connection whose server is half closed before the response is an ECONNRESET', async (t) => {
  const server = await rawServer(t, (socket) => void socket.end())
  await assert.rejects(textOf(server.url), { name: 'APIConnectionError', code: 'ECONNRESET' })
})

test('an idle connection that the server half closes is not used again', async (t) => {
  const server = await rawServer(t, (socket, request) => {
    if (request === 1) socket.end(response('hi'))
    else says(socket, request)
  })
  await textOf(server.url)
  await pause()
  assert.equal(await textOf(server.url), 'hi')
  assert.equal(server.sockets.length, 2)
  assert.equal(server.requests.length, 2)
})

test('idle connections do not keep the process alive', () => {
  const program = `
    import { createServer } from 'node:net'
    const { nodeTransport } = await import(process.argv[1])
    const server = createServer((socket) => socket.unref().on('data', () => socket.write(${JSON.stringify(response('hi'))})))
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    server.unref()
    const send = nodeTransport({ proxy: false, transport: 'sockets' })
    const request = { method: 'POST', url: 'http://127.0.0.1:' + server.address().port, headers: {}, body: '{}' }
    for (let i = 0; i < 2; i++) {
      const reply = await send(request).response
      while (await reply.read());
    }
    console.log('done')
  `
  const url = new URL('../node-transport.ts', import.meta.url).href
  const options = { encoding: 'utf8', timeout: 120_000 } as const
  const parameters = ['--conditions=@colloquy/source', '--input-type=module', '-e', program, url]
  assert.equal(execFileSync(process.execPath, parameters, options), 'done\n')
})

test('an IPv6 address is a host', async (t) => {
  const server = await rawServer(t, says, '::1').catch(() => undefined)
  if (!server) return t.skip('this machine has no IPv6')
  assert.equal(await textOf(server.url), 'hi')
  assert.match(server.requests[0]!, /host: \[::1\]:\d+\r\n/)
})

// Bodies

test('a socket is paused while its response is not read', async (t) => {
  const total = 64 * 1024 * 1024
  let written = 0
  const server = await rawServer(t, (socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`)
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const write = (): void => {
      while (written < total) {
        written += piece.length
        if (!socket.write(piece)) return void socket.once('drain', write)
      }
    }
    write()
  })
  const reply = await send(requestOf(server.url)).response
  await pause(200)
  assert.ok(written < total / 2, `${written} bytes were accepted`)
  let read = 0
  for (let piece = await reply.read(); piece; piece = await reply.read()) read += piece.length
  assert.equal(read, total)
  // The connection serves the next request.
  const again = await send(requestOf(server.url)).response
  assert.equal(server.sockets.length, 1)
  again.cancel(new Error('enough'))
})

test('pieces that are read stay as they are when later bytes arrive', async (t) => {
  const server = await rawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\naaaa')
    setTimeout(() => socket.write('bbbb'), 20)
  })
  const reply = await send(requestOf(server.url)).response
  const pieces = [await reply.read(), await reply.read()]
  assert.deepEqual(
    pieces.map((piece) => new TextDecoder().decode(piece)),
    ['aaaa', 'bbbb'],
  )
})

test('a response to HEAD has its length and no body', async (t) => {
  const server = await rawServer(t, (socket, request) => {
    socket.write(request === 1 ? 'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n' : response('hi'))
  })
  const reply = await send(requestOf(server.url, { method: 'HEAD', body: undefined })).response
  assert.equal(reply.header('content-length'), '500')
  assert.equal(await reply.read(), undefined)
  assert.equal(await textOf(server.url), 'hi')
  assert.equal(server.sockets.length, 1)
})

// TLS

const certificate = selfSigned()

interface SecureServer {
  url: string
  /** The protocol of each connection, and whether it resumed a session. */
  connections: [protocol: string | false | null, isResumed: boolean][]
}

async function secureServer(t: TestContext): Promise<SecureServer> {
  const connections: SecureServer['connections'] = []
  const sockets: tls.TLSSocket[] = []
  const server = tls.createServer({ ...certificate, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    sockets.push(socket)
    connections.push([socket.alpnProtocol, socket.isSessionReused()])
    socket.on('error', () => {})
    collect(socket, [], (_, request) => void socket.write(response('hi', request > 0 ? 'connection: close\r\n' : '')))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, connections }
}

test('TLS offers HTTP/1.1 alone, and the next connection resumes its session', async (t) => {
  const server = await secureServer(t)
  const trusting = nodeTransport({ ca: certificate.cert, proxy: false, transport: 'sockets' })
  for (let i = 0; i < 2; i++) {
    assert.equal(await readBody(await trusting(requestOf(server.url)).response), 'hi')
    await pause()
  }
  assert.deepEqual(server.connections, [
    ['http/1.1', false],
    ['http/1.1', true],
  ])
})

for (const transport of ['sockets', 'node'] as const) {
  test(`TLS to a server of plain HTTP is one clear error with transport: '${transport}'`, async (t) => {
    const server = http.createServer().listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    await assert.rejects(nodeTransport({ proxy: false, transport })(requestOf(url)).response, {
      name: 'APIConnectionError',
      message: `Connection error: cannot reach ${url} (TLS: wrong version number)`,
      code: 'EPROTO',
    })
  })
}

test('ca must be certificates, not the path of a file', () => {
  nodeTransport({ ca: [certificate.cert, certificate.cert] })
  for (const ca of ['/etc/ssl/ca.pem', [certificate.cert, '']]) {
    assert.throws(
      () => nodeTransport({ ca }),
      /^AnthropicError: Cannot use ca as it must be the text of PEM certificates: found "/,
    )
  }
})

test('TLS refuses a certificate for another host', async (t) => {
  const server = await secureServer(t)
  const trusting = nodeTransport({ ca: certificate.cert, proxy: false, transport: 'sockets' })
  const { port } = new URL(server.url)
  // The certificate is for 127.0.0.1 only.
  await assert.rejects(trusting(requestOf(`https://localhost:${port}`)).response, {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  })
})

test('nothing is sent to a server whose certificate is refused', async (t) => {
  const received: string[] = []
  const server = tls.createServer({ ...certificate }, (socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => received.push(data.toString()))
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  await assert.rejects(send(requestOf(url)).response, { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  await pause()
  assert.deepEqual(received, [])
})

// Requests that go over node:http

/** Whether a request went over `node:http`. It names the header `Connection` so. */
async function wentOverHttp(t: TestContext, changes?: Partial<WireRequest>): Promise<boolean> {
  const server = await rawServer(t, says)
  await textOf(server.url, changes)
  return /\r\nConnection: /.test(server.requests[0]!)
}

test('an ordinary request goes over sockets', async (t) => {
  assert.equal(await wentOverHttp(t), false)
})

for (const name of ['host', 'connection', 'te', 'expect', 'proxy-authorization', 'keep-alive']) {
  test(`a request with the header ${name} goes over node:http`, async (t) => {
    const value = name === 'connection' ? 'keep-alive' : name === 'expect' ? '' : 'x'
    const server = await rawServer(t, says)
    await textOf(server.url, { headers: { [name]: value } })
    assert.match(server.requests[0]!, /^POST \/v1\/messages\?a=b HTTP\/1\.1\r\n(?!host: 127)/)
  })
}

for (const event of ['request.created', 'request.start', 'request.error', 'response.finish']) {
  test(`requests go over node:http while a tracer watches its ${event}`, async (t) => {
    const watched = channel(`http.client.${event}`)
    const listener = (): void => {}
    watched.subscribe(listener)
    t.after(() => watched.unsubscribe(listener))
    assert.equal(await wentOverHttp(t), true)
    watched.unsubscribe(listener)
    assert.equal(await wentOverHttp(t), false)
  })
}

test('requests go over node:http while a mock replaces it', async (t) => {
  const { request } = http
  const mock = t.mock.method(http, 'request', (...parameters: Parameters<typeof request>) => request(...parameters))
  assert.equal(await wentOverHttp(t), true)
  assert.equal(mock.mock.callCount(), 1)
  mock.mock.restore()
  assert.equal(await wentOverHttp(t), false)
})

test("transport: 'node' sends every request over node:http", async (t) => {
  const server = await rawServer(t, says)
  await readBody(await nodeTransport({ proxy: false, transport: 'node' })(requestOf(server.url)).response)
  assert.match(server.requests[0]!, /\r\nConnection: /)
})

test('a transport that does not exist is refused', () => {
  assert.throws(() => nodeTransport({ transport: 'http2' as never }), /must be 'sockets' or 'node': found http2/)
})

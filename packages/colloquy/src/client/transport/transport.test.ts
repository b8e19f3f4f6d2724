import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { APIConnectionError } from '../../protocol/types/error.ts'
import { Anthropic } from '../client.ts'
import { faultServer, hello, helloEvents, params } from '../request/fault-server.test.ts'
import { fetchTransport } from './fetch-transport.ts'
import { nodeTransport } from './node/node-transport.ts'
import { proxiesOf } from './node/proxy.ts'
import { readBody } from '../request/response.ts'
import type { Transport, WireRequest } from './transport.ts'

const transports: Record<string, Transport> = {
  sockets: nodeTransport({ proxy: false }),
  'node:http': nodeTransport({ proxy: false, transport: 'node' }),
  fetch: fetchTransport((url, init) => fetch(url, init)),
}

function request(url: string, body?: WireRequest['body']): WireRequest {
  return { method: 'POST', url: `${url}/v1/messages?a=b`, headers: { 'x-test': 'yes' }, body }
}

async function closedPort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

for (const [name, transport] of Object.entries(transports)) {
  test(`${name}: a response has its status, headers and body`, async (t) => {
    const server = await faultServer(t, (answer) =>
      answer.head(201, { 'X-Some': 'thing' }).send('hello ', 'wörld').end(),
    )
    const reply = await transport(request(server.url, '{"é":1}')).response
    assert.equal(reply.status, 201)
    assert.equal(reply.header('x-some'), 'thing')
    assert.equal(reply.header('x-none'), null)
    assert.equal(reply.headers().get('x-some'), 'thing')
    assert.equal(await readBody(reply), 'hello wörld')
    assert.equal(await reply.read(), undefined)
    const { method, path, headers, body } = server.requests[0]!
    assert.deepEqual([method, path, headers['x-test'], body], ['POST', '/v1/messages?a=b', 'yes', '{"é":1}'])
    assert.equal(headers['content-length'], '8')
  })

  test(`${name}: a body of several pieces is sent as one`, async (t) => {
    const server = await faultServer(t, (answer) => answer.head(200).end())
    const pieces = ['{"a":', '[1,2]', '}'].map((text) => new TextEncoder().encode(text))
    await readBody(await transport(request(server.url, pieces)).response)
    assert.equal(server.requests[0]!.body, '{"a":[1,2]}')
    assert.equal(server.requests[0]!.headers['content-length'], '11')
  })

  test(`${name}: headers about another body change nothing`, async (t) => {
    const server = await faultServer(t, (answer) => answer.head(200).end())
    const headers = { 'content-length': '3', ...(name !== 'fetch' && { 'transfer-encoding': 'chunked' }) }
    for (const body of ['{"a":1}', [new TextEncoder().encode('{"a":1}')]]) {
      await readBody(await transport({ ...request(server.url, body), headers }).response)
      const sent = server.requests.at(-1)!
      assert.deepEqual([sent.body, sent.headers['content-length']], ['{"a":1}', '7'])
      assert.equal(sent.headers['transfer-encoding'], undefined)
    }
    await readBody(await transport({ ...request(server.url), method: 'GET', headers }).response)
    assert.equal(server.requests.at(-1)!.headers['content-length'], undefined)
  })

  test(`${name}: a host that refuses connections is an APIConnectionError`, async () => {
    const port = await closedPort()
    await assert.rejects(transport(request(`http://127.0.0.1:${port}`)).response, (error: Error) => {
      assert.ok(error instanceof APIConnectionError)
      assert.match(error.message, /ECONNREFUSED/)
      return true
    })
  })

  test(`${name}: a body that is cut is an APIConnectionError after what arrived`, async (t) => {
    const server = await faultServer(t, (answer) => answer.head(200).send('hello').reset())
    const reply = await transport(request(server.url)).response
    assert.equal(new TextDecoder().decode(await reply.read()), 'hello')
    await assert.rejects(reply.read(), APIConnectionError)
    await assert.rejects(reply.read(), APIConnectionError)
  })

  test(`${name}: cancel() before the response rejects and closes the connection`, async (t) => {
    const server = await faultServer(t, () => {})
    const pending = transport(request(server.url))
    const reason = new Error('enough')
    setTimeout(() => pending.cancel(reason), 30)
    await assert.rejects(pending.response, reason)
    await server.idle()
  })

  test(`${name}: cancel() at once leaves no connection open`, async (t) => {
    const server = await faultServer(t, () => {})
    const pending = transport(request(server.url))
    pending.cancel(new Error('enough'))
    await assert.rejects(pending.response, /enough/)
    await server.idle()
  })

  test(`${name}: cancel() in the body rejects the read and closes the connection`, async (t) => {
    const server = await faultServer(t, (answer) => void answer.head(200).send('hello'))
    const reply = await transport(request(server.url)).response
    await reply.read()
    const reading = reply.read()
    reply.cancel(new Error('enough'))
    await assert.rejects(reading, /enough/)
    await assert.rejects(reply.read(), /enough/)
    await server.idle()
  })

  test(`${name}: cancel() closes the connection of a response that is not read`, async (t) => {
    const server = await faultServer(t, (answer) => void answer.head(200).send('hello'))
    const reply = await transport(request(server.url)).response
    reply.cancel(new Error('enough'))
    await server.idle()
  })

  test(`${name}: response() is the web's Response`, async (t) => {
    const server = await faultServer(t, (answer) => answer.json(200, hello))
    const response = (await transport(request(server.url)).response).response()
    assert.ok(response instanceof Response)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('request-id'), 'req_test')
    assert.equal(response.url, `${server.url}/v1/messages?a=b`)
    assert.deepEqual(await response.json(), hello)
  })

  test(`${name}: leaving the body of a Response closes the connection`, async (t) => {
    const server = await faultServer(t, (answer) => void answer.head(200).send('hello'))
    const response = (await transport(request(server.url)).response).response()
    for await (const chunk of response.body!) {
      assert.equal(new TextDecoder().decode(chunk), 'hello')
      break
    }
    await server.idle()
  })

  for (const [encoding, compress] of Object.entries({ gzip: gzipSync, br: brotliCompressSync })) {
    test(`${name}: a body in ${encoding} that the client did not ask for is read`, async (t) => {
      const server = await faultServer(t, (answer) => {
        answer.head(200, { 'content-encoding': encoding }).response.end(compress('hello '.repeat(1000)))
      })
      const reply = await transport(request(server.url)).response
      assert.equal(await readBody(reply), 'hello '.repeat(1000))
    })
  }

  test(`${name}: a body that is read slowly arrives complete`, async (t) => {
    const chunk = 'x'.repeat(64 * 1024)
    const server = await faultServer(t, (answer) =>
      answer
        .head(200)
        .send(...Array<string>(64).fill(chunk))
        .end(),
    )
    const reply = await transport(request(server.url)).response
    let bytes = 0
    for (let piece = await reply.read(); piece; piece = await reply.read()) {
      bytes += piece.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(bytes, 64 * chunk.length)
  })
}

test('pipe() writes chunks as they arrive, and buffers when the sink has enough', async (t) => {
  const server = await faultServer(t, async (answer) => {
    answer.head(200)
    for (const word of ['one', 'two', 'three']) {
      answer.send(word)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    answer.end()
  })
  const reply = await nodeTransport({ proxy: false })(request(server.url)).response
  let received = ''
  await new Promise<void>((resolve, reject) => {
    const receive = (chunk: Uint8Array | undefined): boolean => {
      received += new TextDecoder().decode(chunk)
      if (received !== 'onetwo') return true
      resolve()
      return false
    }
    reply.pipe!({ write: receive, fail: reject })
  })
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(received, 'onetwo')
  assert.equal(await readBody(reply), 'three')
})

test('cancel() ends a fetch that ignores its signal', async () => {
  let answer!: (response: Response) => void
  const transport = fetchTransport(() => new Promise((resolve) => (answer = resolve)))
  const pending = transport(request('http://a.test'))
  pending.cancel(new Error('enough'))
  await assert.rejects(pending.response, /enough/)
  let cancelled = false
  answer(new Response(new ReadableStream({ cancel: () => void (cancelled = true) })))
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.ok(cancelled)
})

test('cancel() ends a body that ignores its signal', async () => {
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('Hel')),
    cancel: () => new Promise(() => {}),
  })
  const reply = await fetchTransport(() => new Response(body))(request('http://a.test')).response
  assert.equal((await reply.read())?.length, 3)
  const waiting = reply.read()
  reply.cancel(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  await assert.rejects(reply.read(), /enough/)
})

test('a handler in the same process serves a client without a port', async () => {
  const served: string[] = []
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: 'http://colloquy.local',
    fetch: async (url, init) => {
      const request = new Request(url, init)
      served.push(`${request.method} ${request.url} ${request.headers.get('x-api-key')}`)
      assert.deepEqual(await request.json(), params)
      return Response.json(hello)
    },
  })
  assert.deepEqual(await client.messages.create(params), hello)
  assert.deepEqual(served, ['POST http://colloquy.local/v1/messages key'])
})

test('fetchOptions are passed to fetch', async () => {
  const inits: (RequestInit | undefined)[] = []
  const client = new Anthropic({
    apiKey: 'key',
    fetchOptions: { credentials: 'include', cache: 'no-store' },
    fetch: (_, init) => {
      inits.push(init)
      return Response.json(hello)
    },
  })
  await client.messages.create(params, { fetchOptions: { cache: 'reload' } })
  assert.equal(inits[0]?.credentials, 'include')
  assert.equal(inits[0]?.cache, 'reload')
})

test('fetchOptions without fetch select the global fetch on Node', async (t) => {
  const inits: (RequestInit | undefined)[] = []
  t.mock.method(globalThis, 'fetch', async (_: unknown, init?: RequestInit) => {
    inits.push(init)
    return Response.json(hello)
  })
  const client = new Anthropic({ apiKey: 'key', fetchOptions: { cache: 'no-store' } })
  assert.deepEqual(await client.messages.create(params), hello)
  const plain = new Anthropic({ apiKey: 'key' })
  assert.deepEqual(await plain.messages.create(params, { fetchOptions: { cache: 'reload' } }), hello)
  assert.deepEqual(
    inits.map((init) => init?.cache),
    ['no-store', 'reload'],
  )
})

test('on Node the client loads fetch only for a Response', () => {
  const program = `
    import { createServer } from 'node:net'
    const { Anthropic } = await import(process.argv[1])
    const body = JSON.stringify(${JSON.stringify(hello)})
    const server = createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: ' + body.length + '\\r\\n\\r\\n' + body))
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = new Anthropic({ apiKey: 'key', baseURL: 'http://127.0.0.1:' + server.address().port })
    await client.messages.create(${JSON.stringify(params)})
    const loaded = process.moduleLoadList.filter((name) => name.includes('undici'))
    server.close()
    console.log(JSON.stringify(loaded))
  `
  const index = new URL('../client.ts', import.meta.url).href
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program, index], { encoding: 'utf8' })
  assert.deepEqual(JSON.parse(output), [])
})

// Certificates and proxies

interface Certified {
  key: string
  cert: string
}

/** A self-signed certificate for localhost. */
function certificate(t: TestContext): Certified | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  try {
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      { stdio: 'ignore' },
    )
  } catch {
    t.skip('this machine has no openssl to make a certificate with')
    return undefined
  }
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

async function listen(t: TestContext, server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  if (server instanceof http.Server || server instanceof https.Server) t.after(() => server.closeAllConnections())
  return (server.address() as AddressInfo).port
}

test('a certificate is trusted with ca, and refused without a retry otherwise', async (t) => {
  const certified = certificate(t)
  if (!certified) return
  const server = https.createServer(certified, (_, response) => response.end(JSON.stringify(hello)))
  const baseURL = `https://localhost:${await listen(t, server)}`
  const trusting = new Anthropic({ apiKey: 'key', baseURL, ca: certified.cert })
  assert.deepEqual(await trusting.messages.create(params), hello)
  let retries = 0
  const strict = new Anthropic({ apiKey: 'key', baseURL, onRetry: () => retries++ })
  await assert.rejects(strict.messages.create(params), /DEPTH_ZERO_SELF_SIGNED_CERT/)
  assert.equal(retries, 0)
})

/** A proxy that opens tunnels, and records each request for one. */
async function tunnelProxy(t: TestContext, status = '200 OK'): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const proxy = http.createServer()
  proxy.on('connect', (incoming, socket, head) => {
    asked.push(`${incoming.url} ${incoming.headers['proxy-authorization'] ?? ''}`)
    socket.write(`HTTP/1.1 ${status}\r\n\r\n`)
    if (!status.startsWith('200')) return socket.end()
    const [, port] = incoming.url!.split(':')
    const upstream = net.connect(Number(port), '127.0.0.1')
    upstream.write(head)
    upstream.pipe(socket).pipe(upstream)
    for (const end of [upstream, socket]) end.on('error', () => {})
  })
  return { url: `http://me:se%20cret@127.0.0.1:${await listen(t, proxy)}`, asked }
}

test('HTTPS requests share one tunnel through the proxy', async (t) => {
  const certified = certificate(t)
  if (!certified) return
  const server = https.createServer(certified, (incoming, response) => {
    const { stream } = { stream: incoming.headers['x-stream'] }
    response.end(
      stream ? helloEvents.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('') : JSON.stringify(hello),
    )
  })
  const port = await listen(t, server)
  const proxy = await tunnelProxy(t)
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: `https://localhost:${port}`,
    ca: certified.cert,
    proxy: proxy.url,
  })
  assert.deepEqual(await client.messages.create(params), hello)
  assert.equal(await client.messages.stream(params, { headers: { 'x-stream': '1' } }).finalText(), 'Hello!')
  assert.deepEqual(proxy.asked, [`localhost:${port} Basic ${btoa('me:se cret')}`])
})

test('a proxy that refuses to connect is one clear error', async (t) => {
  const proxy = await tunnelProxy(t, '407 Proxy Authentication Required')
  const client = new Anthropic({ apiKey: 'key', baseURL: 'https://a.test', proxy: proxy.url, maxRetries: 0 })
  await assert.rejects(client.messages.create(params), /the proxy 127\.0\.0\.1:\d+ answered CONNECT with 407/)
})

test('a plain HTTP request gives the proxy its whole URL', async (t) => {
  const asked: string[] = []
  const proxy = http.createServer((incoming, response) => {
    asked.push(`${incoming.url} ${incoming.headers.host}`)
    response.end(JSON.stringify(hello))
  })
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: 'http://a.test:81',
    proxy: `http://127.0.0.1:${await listen(t, proxy)}`,
  })
  assert.deepEqual(await client.messages.create(params), hello)
  assert.deepEqual(asked, ['http://a.test:81/v1/messages a.test:81'])
})

test('proxiesOf() reads the environment, and NO_PROXY exempts hosts', (t) => {
  const names = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY', 'no_proxy', 'NO_PROXY']
  const before = names.map((name) => process.env[name])
  t.after(() =>
    names.forEach((name, index) =>
      before[index] === undefined ? delete process.env[name] : (process.env[name] = before[index]),
    ),
  )
  for (const name of names) delete process.env[name]
  const through = (url: string): string | undefined => proxiesOf(undefined)?.(new URL(url))?.href
  assert.equal(through('https://a.test'), undefined)
  process.env['HTTPS_PROXY'] = 'http://proxy.test:8080'
  process.env['http_proxy'] = 'plain.test:3128'
  assert.equal(through('https://a.test'), 'http://proxy.test:8080/')
  assert.equal(through('http://a.test'), 'http://plain.test:3128/')
  for (const url of ['https://localhost', 'https://127.0.0.1:9', 'https://[::1]'])
    assert.equal(through(url), undefined, url)
  process.env['NO_PROXY'] =
    'b.test, .c.test,*.d.test,e.test:444,fd00::1,[FD00::2],[fd00::3]:444,10.0.0.0/8,fc01::/16,1.2.3.4/33,x/8'
  for (const url of [
    'https://b.test',
    'https://x.b.test',
    'https://c.test',
    'https://x.d.test',
    'https://e.test:444',
    'https://[fd00::1]',
    'https://[fd00::1]:8443',
    'https://[fd00::2]',
    'https://[fd00::3]:444',
    'https://10.200.3.4:8443',
    'https://[fc01::9]',
  ]) {
    assert.equal(through(url), undefined, url)
  }
  for (const url of [
    'https://a.test',
    'https://bb.test',
    'https://e.test',
    'https://[fd00::3]',
    'https://[fd00::]:1',
    'https://11.0.0.1',
  ])
    assert.ok(through(url), url)
  for (const url of ['https://[fc02::9]', 'https://1.2.3.4', 'https://10.test']) assert.ok(through(url), url)
  process.env['NO_PROXY'] = '*'
  assert.equal(through('https://a.test'), undefined)
  assert.equal(proxiesOf('http://mine.test')?.(new URL('https://a.test'))?.host, 'mine.test')
  assert.equal(proxiesOf(false)?.(new URL('https://a.test')), undefined)
})

test('a silent connection is probed after 30 seconds, before a NAT drops it', async (t) => {
  const delays: unknown[][] = []
  const { setKeepAlive } = net.Socket.prototype
  t.mock.method(net.Socket.prototype, 'setKeepAlive', function (this: net.Socket, ...parameters: [boolean, number]) {
    delays.push(parameters)
    return setKeepAlive.apply(this, parameters)
  })
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  await server.client().messages.create(params)
  assert.deepEqual(delays[0], [true, 30_000])
})

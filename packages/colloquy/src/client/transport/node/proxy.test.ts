import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { Anthropic } from '../../client.ts'
import { hello, params } from '../../request/fault-server.test.ts'

interface Certified {
  key: Buffer
  cert: string
}

const certified = certificate()

/** A self-signed certificate; undefined if this machine has no openssl to make one. */
function certificate(): Certified | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'colloquy-proxy-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,DNS:api.test']
  const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'cert')]
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...names], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  return { key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'cert'), 'utf8') }
}

async function listen(t: TestContext, server: http.Server | https.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

function credentialsOf({ headers }: IncomingMessage): string {
  const [, base64 = ''] = (headers['proxy-authorization'] ?? '').split('Basic ')
  return Buffer.from(base64, 'base64').toString() || 'nobody'
}

interface Proxy {
  port: number
  /** The requests that the proxy received, with their credentials. */
  seen: string[]
}

/** A proxy for plain HTTP and for tunnels, which all lead to one API. `status` is its own response, to any request. */
async function startProxy(t: TestContext, isSecure: boolean, status = '200 OK'): Promise<Proxy> {
  const seen: string[] = []
  const api =
    certified &&
    (await listen(
      t,
      https.createServer(certified, (_, response) => void response.end(JSON.stringify(hello))),
    ))
  const server = isSecure ? https.createServer(certified!) : http.createServer()
  server.on('request', (request: IncomingMessage, response: http.ServerResponse) => {
    seen.push(`${request.method} ${request.url} as ${credentialsOf(request)}`)
    response.writeHead(Number.parseInt(status)).end(JSON.stringify(hello))
  })
  server.on('connect', (request: IncomingMessage, socket: net.Socket) => {
    seen.push(`CONNECT ${request.url} as ${credentialsOf(request)}`)
    socket.on('error', () => {})
    socket.write(`HTTP/1.1 ${status}\r\n\r\n`)
    if (!status.startsWith('200')) return socket.end()
    const upstream = net.connect(api!, '127.0.0.1')
    upstream.on('error', () => socket.destroy())
    upstream.pipe(socket).pipe(upstream)
  })
  return { port: await listen(t, server), seen }
}

interface Row {
  name: string
  /** The option, with `PORT` for the port of the proxy. */
  proxy: string
  baseURL: string
  seen: string
}

const plain: Row[] = [
  {
    name: 'a user and a password',
    proxy: 'http://user:pass@127.0.0.1:PORT',
    baseURL: 'http://api.test',
    seen: 'POST http://api.test/v1/messages as user:pass',
  },
  {
    name: 'a password in another script',
    proxy: 'http://user:%E2%82%AC@127.0.0.1:PORT',
    baseURL: 'http://api.test',
    seen: 'POST http://api.test/v1/messages as user:€',
  },
  {
    name: 'a password with a stray percent sign',
    proxy: 'http://user:100%@127.0.0.1:PORT',
    baseURL: 'http://api.test',
    seen: 'POST http://api.test/v1/messages as user:100%',
  },
  {
    name: 'a password with a colon',
    proxy: 'http://user:a:b@127.0.0.1:PORT',
    baseURL: 'http://api.test',
    seen: 'POST http://api.test/v1/messages as user:a:b',
  },
  {
    name: 'a password without a user',
    proxy: 'http://:token@127.0.0.1:PORT',
    baseURL: 'http://api.test',
    seen: 'POST http://api.test/v1/messages as :token',
  },
  {
    name: 'a user without a password',
    proxy: 'http://user@127.0.0.1:PORT',
    baseURL: 'http://api.test',
    seen: 'POST http://api.test/v1/messages as user:',
  },
  {
    name: 'no scheme',
    proxy: 'localhost:PORT',
    baseURL: 'http://api.test',
    seen: 'POST http://api.test/v1/messages as nobody',
  },
  {
    name: 'credentials and no scheme',
    proxy: 'user:pass@127.0.0.1:PORT',
    baseURL: 'http://api.test:81',
    seen: 'POST http://api.test:81/v1/messages as user:pass',
  },
  {
    name: 'a scheme in capitals',
    proxy: 'HTTP://127.0.0.1:PORT/',
    baseURL: 'http://api.test',
    seen: 'POST http://api.test/v1/messages as nobody',
  },
]

const tunnels: Row[] = [
  {
    name: 'a tunnel',
    proxy: 'http://user:%E2%82%AC@127.0.0.1:PORT',
    baseURL: 'https://api.test',
    seen: 'CONNECT api.test:443 as user:€',
  },
  {
    name: 'a tunnel to a port',
    proxy: '127.0.0.1:PORT',
    baseURL: 'https://api.test:8443',
    seen: 'CONNECT api.test:8443 as nobody',
  },
]

const secure: Row[] = [
  {
    name: 'an https proxy and an http API',
    proxy: 'https://user:pass@localhost:PORT',
    baseURL: 'http://api.test',
    seen: 'POST http://api.test/v1/messages as user:pass',
  },
  {
    name: 'an https proxy and an https API',
    proxy: 'https://user:pass@localhost:PORT',
    baseURL: 'https://api.test',
    seen: 'CONNECT api.test:443 as user:pass',
  },
]

for (const [rows, isSecure] of [
  [plain, false],
  [tunnels, false],
  [secure, true],
] as const) {
  for (const row of rows) {
    test(`a proxy with ${row.name}`, { skip: rows !== plain && !certified }, async (t) => {
      const { port, seen } = await startProxy(t, isSecure)
      const client = new Anthropic({
        apiKey: 'key',
        baseURL: row.baseURL,
        proxy: row.proxy.replace('PORT', String(port)),
        maxRetries: 0,
        ...(certified && { ca: certified.cert }),
      })
      assert.deepEqual(await client.messages.create(params), hello)
      assert.deepEqual(await client.messages.create(params), hello)
      // One tunnel serves both requests.
      assert.deepEqual(seen, row.baseURL.startsWith('https') ? [row.seen] : [row.seen, row.seen])
    })
  }
}

for (const [status, requests] of [
  [403, 1],
  [407, 1],
  [502, 2],
  [503, 2],
] as const) {
  test(`a proxy that refuses a tunnel with ${status} is named, after ${requests} requests`, async (t) => {
    const { port, seen } = await startProxy(t, false, `${status} No`)
    const options = { apiKey: 'key', baseURL: 'https://api.test', maxRetries: 1, maxRetryDelay: 1 }
    await assert.rejects(
      new Anthropic({ ...options, proxy: `http://u:hunter2@127.0.0.1:${port}` }).messages.create(params),
      (error: Error) => {
        assert.equal(error.name, 'APIConnectionError')
        assert.match(
          error.message,
          new RegExp(`https://api.test through the proxy 127.0.0.1:${port} .*answered CONNECT with ${status}`),
        )
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      },
    )
    assert.equal(seen.length, requests)
  })
}

test('a proxy for plain HTTP that asks for credentials is named, after one request', async (t) => {
  const { port, seen } = await startProxy(t, false, '407 No')
  const client = new Anthropic({
    apiKey: 'key',
    baseURL: 'http://api.test',
    proxy: `http://u:hunter2@127.0.0.1:${port}`,
  })
  const proxy = `the proxy 127.0.0.1:${port}`
  await assert.rejects(client.messages.create(params), {
    name: 'APIConnectionError',
    message: `Connection error: cannot reach http://api.test through ${proxy} (${proxy} answered the request with 407)`,
  })
  assert.equal(seen.length, 1)
})

for (const baseURL of ['http://api.test', 'https://api.test']) {
  test(`a proxy that cannot be reached is named in the error for ${baseURL}`, async () => {
    const client = new Anthropic({ apiKey: 'key', baseURL, proxy: 'http://127.0.0.1:1', maxRetries: 0 })
    await assert.rejects(client.messages.create(params), {
      message: `Connection error: cannot reach ${baseURL} through the proxy 127.0.0.1:1 (ECONNREFUSED)`,
      host: 'api.test',
      code: 'ECONNREFUSED',
    })
  })
}

test('a proxy of the environment that cannot be used is one clear error', async (t) => {
  const before = process.env['https_proxy']
  t.after(() => (before === undefined ? delete process.env['https_proxy'] : (process.env['https_proxy'] = before)))
  process.env['https_proxy'] = 'socks5://me:hunter2@127.0.0.1:1080'
  const client = new Anthropic({ apiKey: 'key', baseURL: 'https://api.test' })
  await assert.rejects(client.messages.create(params), {
    name: 'AnthropicError',
    message:
      'Cannot use https_proxy as it must be the URL of an http or https proxy: found socks5://***@127.0.0.1:1080',
  })
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { type Socket, connect } from 'node:net'
import { suite, test } from 'node:test'
import { offline, script } from 'colloquy/engines'
import type { ErrorBody } from 'colloquy/protocol'
import { type ServerOptions, createServer } from '../app.ts'
import type { AccessEntry } from './request-log.ts'
import { type ListenOptions, type Listening, listen } from './node.ts'

const body = JSON.stringify({ model: 'claude-opus-4-6', max_tokens: 20, messages: [{ role: 'user', content: 'hi' }] })
const post = `POST /v1/messages HTTP/1.1\r\nhost: x\r\nanthropic-version: 2026-10-21\r\ncontent-length: ${body.length}\r\n`

async function serving(
  options: Partial<ServerOptions> & ListenOptions,
  use: (listening: Listening, log: AccessEntry[]) => Promise<void>,
): Promise<void> {
  const log: AccessEntry[] = []
  const server = createServer({ engine: offline(), log: (entry) => log.push(entry), ...options })
  const listening = await listen(server, options)
  try {
    await use(listening, log)
  } finally {
    await listening.close({ graceMs: 0 })
  }
}

interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** Reads one response off the socket. */
async function answerOn(socket: Socket): Promise<Answer> {
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    const [head = '', rest] = text.split('\r\n\r\n')
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Infinity)
    if (rest !== undefined && rest.length >= length) break
  }
  socket.destroy()
  const [head = '', content = ''] = text.split('\r\n\r\n')
  const [first = '', ...fields] = head.split('\r\n')
  const headers = fields.map((field) => field.split(': ')).map(([name, value]) => [name!.toLowerCase(), value!])
  return { status: Number(first.split(' ')[1]), headers: Object.fromEntries(headers) as never, body: content }
}

async function send({ port }: Listening, bytes: string): Promise<Answer> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  return answerOn(socket)
}

function checkEnvelope({ headers, body: text }: Answer): void {
  const parsed = JSON.parse(text) as ErrorBody
  assert.equal(parsed.type, 'error')
  assert.match(parsed.request_id!, /^req_/)
  assert.equal(headers['request-id'], parsed.request_id)
}

suite('a request that Node does not pass on gets the error envelope', () => {
  const requests: [name: string, bytes: string, status: number][] = [
    ['an unknown expectation', `${post}expect: 200-ok\r\n\r\n${body}`, 417],
    ['no Host header', 'GET /v1/models HTTP/1.1\r\n\r\n', 400],
    ['two Host headers', 'GET /healthz HTTP/1.1\r\nhost: x\r\nHost: x\r\n\r\n', 400],
    ['a Host header that names no host', 'GET /healthz HTTP/1.1\r\nhost: x/y z\r\n\r\n', 400],
    ['TRACE', 'TRACE /v1/models HTTP/1.1\r\nhost: x\r\n\r\n', 405],
    ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n', 405],
    ['PROPFIND', 'PROPFIND / HTTP/1.1\r\nhost: x\r\n\r\n', 405],
    ['a path that is not a path', 'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['a wrong protocol', 'GET / HTTP/9.9\r\nhost: x\r\n\r\n', 400],
    ['a wrong content-length', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n', 400],
  ]
  for (const [name, bytes, status] of requests) {
    test(name, async () => {
      await serving({}, async (listening) => {
        const answer = await send(listening, bytes)
        assert.equal(answer.status, status)
        checkEnvelope(answer)
      })
    })
  }

  test('a URL with a host and a password is a path like any other', async () => {
    await serving({}, async (listening) => {
      assert.equal((await send(listening, 'GET http://a:b@x/healthz HTTP/1.1\r\nhost: x\r\n\r\n')).status, 200)
    })
  })

  test('a health check of HTTP/1.0 needs no Host header', async () => {
    await serving({}, async (listening) => {
      assert.equal((await send(listening, 'GET /healthz HTTP/1.0\r\n\r\n')).status, 200)
    })
  })

  for (const [name, bytes, status] of [
    ['HEAD', 'HEAD /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 200],
    ['HEAD with an error', 'HEAD /v1/messages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 405],
    [
      'a preflight',
      'OPTIONS /healthz HTTP/1.1\r\nhost: x\r\norigin: http://localhost\r\naccess-control-request-method: POST\r\nconnection: close\r\n\r\n',
      204,
    ],
  ] as const)
    test(`${name} is answered without a length, as it has no body`, async () => {
      await serving({ origins: () => true }, async (listening) => {
        const answer = await send(listening, bytes)
        assert.equal(answer.status, status)
        assert.deepEqual(
          [answer.headers['content-length'], answer.headers['transfer-encoding']],
          [undefined, undefined],
        )
        assert.equal(answer.body, '')
      })
    })

  test('and is logged', async () => {
    await serving({}, async (listening, log) => {
      await send(listening, 'TRACE /v1/models?x HTTP/1.1\r\nhost: x\r\n\r\n')
      await send(listening, 'GET /v1/models HTTP/1.1\r\nhost: evil.example\r\n\r\n')
      assert.deepEqual(
        log.map(({ method, path, status }) => [method, path, status]),
        [
          ['TRACE', '/v1/models', 405],
          ['GET', '/v1/models', 403],
        ],
      )
    })
  })

  test('a request that expects 100-continue is answered', async () => {
    await serving({}, async (listening) => {
      const socket = connect(listening.port, '127.0.0.1')
      socket.write(`${post}expect: 100-continue\r\n\r\n`)
      const [first] = (await once(socket, 'data')) as [Buffer]
      assert.match(String(first), /^HTTP\/1\.1 100 /)
      socket.write(body)
      assert.equal((await answerOn(socket)).status, 200)
    })
  })
})

suite('a slow request is answered with 408', () => {
  test('if its headers take longer than headersTimeoutMs', async () => {
    await serving({ headersTimeoutMs: 50 }, async (listening) => {
      const answer = await send(listening, 'POST /v1/messages HTTP/1.1\r\nhost: x\r\n')
      assert.deepEqual([answer.status, answer.headers['x-should-retry']], [408, 'true'])
      checkEnvelope(answer)
    })
  })

  test('if its body takes longer than bodyTimeoutMs', async () => {
    await serving({ bodyTimeoutMs: 50 }, async (listening, log) => {
      const answer = await send(listening, `${post}\r\n${body.slice(0, 20)}`)
      assert.deepEqual([answer.status, answer.headers['x-should-retry']], [408, 'true'])
      checkEnvelope(answer)
      assert.equal(log[0]!.status, 408)
    })
  })

  test('if it takes longer than requestTimeoutMs and nothing reads its body', async () => {
    await serving({ requestTimeoutMs: 50, bodyTimeoutMs: 60_000 }, async (listening) => {
      const answer = await send(listening, `${post}\r\n${body.slice(0, 20)}`)
      assert.equal(answer.status, 408)
      checkEnvelope(answer)
    })
  })
})

/** A client that sends one byte after the other until it is answered or cut off. Resolves with what it received. */
async function trickle({ port }: Listening, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  let text = ''
  socket.on('data', (piece) => (text += String(piece)))
  // once() would reject if the server resets the connection, which is one way of cutting it off.
  const closed = new Promise((resolve) => socket.once('close', resolve))
  let sent = 0
  const timer = setInterval(() => socket.write(bytes[sent++] ?? 'x'), 2)
  await closed
  clearInterval(timer)
  return text
}

suite('clients that send a byte now and then', () => {
  const limits = { headersTimeoutMs: 150, bodyTimeoutMs: 150, requestTimeoutMs: 400 }
  const endless = `${post.replace(/content-length: \d+/, 'content-length: 100000')}\r\n`
  const slowHeaders = 'GET /healthz HTTP/1.1\r\nx: '

  test('get no more time than others, and hold up no other client', async () => {
    await serving(limits, async (listening) => {
      const slow = Array.from({ length: 30 }, (_, index) => trickle(listening, index % 2 === 0 ? slowHeaders : endless))
      assert.equal((await send(listening, `${post}\r\n${body}`)).status, 200)
      for (const text of await Promise.all(slow)) assert.match(text, /^HTTP\/1\.1 408 [^]*timeout_error/)
      assert.equal((await send(listening, `${post}\r\n${body}`)).status, 200)
    })
  })

  test('are no more than maxConnections, and make room when their time is over', async () => {
    await serving({ ...limits, maxConnections: 4 }, async (listening) => {
      const slow = Array.from({ length: 4 }, () => trickle(listening, slowHeaders))
      assert.equal(await trickle(listening, slowHeaders), '')
      await Promise.all(slow)
      assert.equal((await send(listening, `${post}\r\n${body}`)).status, 200)
    })
  })
})

suite('a page of another site', () => {
  async function status(
    options: ListenOptions & Partial<ServerOptions>,
    headers: Record<string, string>,
  ): Promise<number> {
    let found = 0
    await serving({ lenient: true, ...options }, async ({ port }) => {
      const request = http.request({ port, path: '/v1/messages', method: 'POST', headers, setHost: false })
      request.end(body)
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      found = response.statusCode!
      response.resume()
      await once(response, 'end')
    })
    return found
  }

  const host = '127.0.0.1'
  const rows: [name: string, headers: Record<string, string>, options: object, status: number][] = [
    ['whose name leads here', { host: 'evil.example:1', origin: 'http://evil.example:1' }, {}, 403],
    ['whose name leads here, without an origin', { host: 'evil.example' }, {}, 403],
    ['that sends a simple request', { host, origin: 'http://evil.example', 'content-type': 'text/plain' }, {}, 403],
    ['without an origin of its own', { host, origin: 'null' }, {}, 403],
    ['at another address of the network', { host, origin: 'http://192.168.1.9' }, {}, 403],
    ['of this machine', { host, origin: 'http://localhost:5173' }, {}, 200],
    ['of this server', { host: 'box', origin: 'http://box' }, {}, 200],
    ['that `origins` allows', { host, origin: 'https://app.example' }, { origins: ['https://app.example'] }, 200],
    [
      'that allowedHosts names',
      { host: 'App.example', origin: 'https://app.example' },
      { allowedHosts: ['app.example'] },
      200,
    ],
    ['if the check is off', { host: 'evil.example', origin: 'http://evil.example' }, { allowedHosts: false }, 200],
    [
      'if the server is public, by its own name',
      { host: 'box.lan', origin: 'http://box.lan' },
      { host: '0.0.0.0' },
      200,
    ],
    [
      'if the server is public, by another',
      { host: 'box.lan', origin: 'http://evil.example' },
      { host: '0.0.0.0' },
      403,
    ],
  ]
  for (const [name, headers, options, expected] of rows) {
    test(`${name} is ${expected === 200 ? 'answered' : 'refused'}`, async () => {
      assert.equal(await status(options, headers), expected)
    })
  }

  test('programs are answered at any address and name without a dot', async () => {
    for (const name of ['localhost:1', '127.0.0.1', '[::1]:1', '192.168.1.2:80', 'colloquy', 'api.localhost'])
      assert.equal(await status({}, { host: name }), 200, name)
  })
})

suite('close()', () => {
  test('answers connections that wait to be accepted', async () => {
    const listening = await listen(createServer({ engine: offline() }))
    const sockets = Array.from({ length: 20 }, () => connect(listening.port, '127.0.0.1'))
    const answers = sockets.map((socket) => {
      socket.write(`${post}\r\n${body}`)
      return answerOn(socket)
    })
    // The system has made the connections, and this process has not looked at them.
    await new Promise((resolve) => process.nextTick(resolve))
    await listening.close()
    for (const { status, headers } of await Promise.all(answers))
      assert.deepEqual([status, headers['connection']], [200, 'close'])
  })

  test('answers a request that arrived while the process was busy', async () => {
    const listening = await listen(createServer({ engine: offline() }))
    const socket = connect(listening.port, '127.0.0.1')
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'data')
    const closed = listening.close()
    socket.write(`${post}\r\n${body}`)
    // Until idle connections are closed.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120)
    assert.equal((await answerOn(socket)).status, 200)
    await closed
  })

  test('answers requests that were sent before it', async () => {
    const engine = script(Array.from({ length: 20 }, () => ({ reply: 'ok', delayMs: 20 })))
    const listening = await listen(createServer({ engine }))
    const sockets = Array.from({ length: 20 }, () => connect(listening.port, '127.0.0.1'))
    // Accepted and idle, as the connections of clients between two requests are.
    for (const socket of sockets) socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
    await Promise.all(sockets.map((socket) => once(socket, 'data')))
    for (const socket of sockets) socket.write(`${post}\r\n${body}`)
    const closed = listening.close()
    const answers = await Promise.all(sockets.map(answerOn))
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 200),
    )
    await closed
  })
})

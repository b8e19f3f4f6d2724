import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { suite, test } from 'node:test'
import { offline, script } from 'colloquy/engines'
import { type ErrorBody, type MessageStreamEvent, type PingEvent, decodeSse } from 'colloquy/protocol'
import { type ServerOptions, createServer } from '../app.ts'
import { type ListenOptions, type Listening, listen } from './node.ts'
import type { AccessEntry } from './request-log.ts'
import { until } from '../../../../test/until.ts'

const base = { model: 'claude-opus-4-6', max_tokens: 100, messages: [{ role: 'user', content: 'Count to 5' }] }
const headers = { 'anthropic-version': '2026-10-21', 'content-type': 'application/json' }

/** Serves an engine on a real port for the time of a test. */
async function serving(
  options: Partial<ServerOptions> & ListenOptions,
  use: (listening: Listening) => Promise<void>,
): Promise<void> {
  const listening = await listen(createServer({ engine: offline(), ...options }), options)
  try {
    await use(listening)
  } finally {
    await listening.close({ graceMs: 0 })
  }
}

function post({ url }: Listening, body: unknown, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })
}

async function textOf(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

/** A client that has asked for a stream and reads nothing by itself. */
function ask(port: number): Socket {
  const body = JSON.stringify({ ...base, stream: true })
  const socket = connect(port, '127.0.0.1')
  socket.write(
    `POST /v1/messages HTTP/1.1\r\nhost: x\r\nanthropic-version: 2026-10-21\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  return socket
}

/** The milliseconds from the client's leaving to the engine's hearing of it. */
async function leaving(
  engine: ReturnType<typeof script>,
  arrive: (listening: Listening) => Promise<() => void>,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  await serving({ engine }, async (listening) => {
    const leave = await arrive(listening)
    const leftAt = performance.now()
    engine.requests[0]!.context.signal!.addEventListener('abort', () => resolve(performance.now() - leftAt))
    leave()
    await promise
  })
  return promise
}

test('a response that begins while the server is closed ends its connection', async () => {
  const { promise: isHeld, resolve: release } = Promise.withResolvers<void>()
  const { promise: hasBegun, resolve: begin } = Promise.withResolvers<void>()
  const reply = offline()
  async function* engine(params: Parameters<typeof reply>[0]): ReturnType<typeof reply> {
    begin()
    await isHeld
    yield* reply(params)
  }
  const listening = await listen(createServer({ engine }))
  const answered = post(listening, base)
  await hasBegun
  const closed = listening.close()
  release()
  const response = await answered
  assert.deepEqual([response.status, response.headers.get('connection')], [200, 'close'])
  await closed
})

test('a response while the server drains ends its connection', async (t) => {
  const server = createServer({ engine: offline() })
  const listening = await listen(server)
  t.after(() => listening.close())
  const connections: (string | null)[] = []
  for (const path of ['/healthz', '/readyz']) {
    const response = await fetch(`${listening.url}${path}`)
    await response.text()
    connections.push(response.headers.get('connection'))
    server.drain()
  }
  assert.deepEqual(connections, ['keep-alive', 'close'])
})

test('a connection without a request is kept longer than balancers keep one, or as long as keepAliveMs', async () => {
  for (const [options, told] of [
    [{}, 'timeout=130'],
    [{ keepAliveMs: 620_000 }, 'timeout=620'],
  ] as const) {
    await serving(options, async ({ url }) => {
      const response = await fetch(`${url}/healthz`)
      await response.text()
      assert.equal(response.headers.get('keep-alive'), told)
    })
  }
})

/** Measures until it took less than the milliseconds: on a busy machine it often takes more. */
async function untilWithin(ms: number, measure: () => Promise<number>): Promise<void> {
  await until(
    async () => (await measure()) < ms,
    () => `It never took less than ${ms} ms`,
  )
}

suite('over real sockets', () => {
  test('answers with JSON and with streams, many requests on one connection', async () => {
    await serving({}, async (listening) => {
      for (let round = 0; round < 3; round++) {
        const whole = await post(listening, base)
        assert.equal(whole.headers.get('content-length'), String((await whole.clone().arrayBuffer()).byteLength))
        assert.equal(((await whole.json()) as { type: string }).type, 'message')
        const names: string[] = []
        for await (const { event } of decodeSse((await post(listening, { ...base, stream: true })).body!))
          names.push(event!)
        assert.equal(names.at(-1), 'message_stop')
      }
    })
  })

  test('concurrent streams each get their own reply', async () => {
    await serving({ engine: offline({ wordsPerSecond: 500 }) }, async (listening) => {
      const answers = Array.from({ length: 40 }, async (_, index) => {
        const response = await post(listening, {
          ...base,
          stream: true,
          messages: [{ role: 'user', content: `Say number-${index}` }],
        })
        assert.match(await response.text(), new RegExp(`number-${index}"`))
      })
      await Promise.all(answers)
    })
  })

  test('the engine stops within 100 ms when the client leaves before the first byte', async () => {
    for (const stream of [true, false]) {
      await untilWithin(100, async () => {
        const engine = script([{ stall: true, after: 0 }])
        return leaving(engine, async (listening) => {
          const controller = new AbortController()
          const answer = post(listening, { ...base, stream }, controller.signal)
          answer.catch(() => {})
          await until(() => engine.requests.length === 1)
          return () => controller.abort()
        })
      })
    }
  })

  test('the engine stops within 100 ms when the client leaves during a stream', async () => {
    await untilWithin(100, async () => {
      const engine = script([{ reply: 'Hello.', after: 2, stall: true }])
      return leaving(engine, async ({ port }) => {
        const socket = ask(port)
        await once(socket, 'data')
        return () => socket.destroy()
      })
    })
  })

  test('an engine that ignores its signal is not waited for', async () => {
    let isClosed = false
    async function* endless(): AsyncGenerator<MessageStreamEvent | PingEvent> {
      try {
        for await (const event of offline()(base as never)) if (event.type === 'message_start') yield event
        for (;;) {
          await new Promise((resolve) => setTimeout(resolve, 1))
          yield { type: 'ping' }
        }
      } finally {
        isClosed = true
      }
    }
    await serving({ engine: endless }, async (listening) => {
      const controller = new AbortController()
      const response = await post(listening, { ...base, stream: true }, controller.signal)
      await response.body!.getReader().read()
      controller.abort()
      await until(() => isClosed)
    })
  })

  test('the engine does not run ahead of the client', async () => {
    let sent = 0
    async function* firehose(): AsyncGenerator<MessageStreamEvent | PingEvent> {
      for await (const event of offline()(base as never)) if (event.type === 'message_start') yield event
      for (;;) {
        sent++
        yield { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'x'.repeat(1_000) } }
        if (sent % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await serving({ engine: firehose }, async ({ port }) => {
      const socket = ask(port)
      socket.pause()
      let before = -1
      // Once the buffers between the two are full nothing more is asked of the engine.
      while (before !== sent || sent === 0) {
        before = sent
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      assert.ok(sent < 50_000)
      socket.destroy()
    })
  })

  test('a client that reads nothing for stallMs is disconnected', async () => {
    let isClosed = false
    async function* firehose(): AsyncGenerator<MessageStreamEvent | PingEvent> {
      try {
        for await (const event of offline()(base as never)) if (event.type === 'message_start') yield event
        const delta = { type: 'text_delta', text: 'x'.repeat(10_000) } as const
        for (;;) yield { type: 'content_block_delta', index: 0, delta }
      } finally {
        isClosed = true
      }
    }
    await serving({ engine: firehose, stallMs: 30 }, async ({ port }) => {
      const socket = ask(port)
      socket.pause()
      await until(() => isClosed)
      socket.destroy()
    })
  })

  test('a scripted reset breaks the connection, before and after the first byte', async () => {
    const engine = script([
      { after: 0, cut: 'reset' },
      { reply: 'Hello.', after: 2, cut: 'reset' },
    ])
    await serving({ engine }, async (listening) => {
      await assert.rejects(post(listening, { ...base, stream: true }), TypeError)
      const response = await post(listening, { ...base, stream: true })
      await assert.rejects(response.text(), TypeError)
    })
  })

  test('a scripted close ends the stream normally, after its raw bytes', async () => {
    const engine = script([{ reply: 'Hello.', after: 2, bytes: 'event: content_block_delta\ndata: {"typ' }])
    await serving({ engine }, async (listening) => {
      const text = await (await post(listening, { ...base, stream: true })).text()
      assert.ok(text.includes('event: message_start') && text.endsWith('data: {"typ'))
    })
  })

  test('a body over the limit is answered before it has been sent', async () => {
    await serving({ maxBodyBytes: 1_000_000 }, async (listening) => {
      const response = await post(listening, { ...base, system: 'x'.repeat(3_000_000) })
      assert.equal(response.status, 413)
      assert.equal(((await response.json()) as ErrorBody).error.type, 'request_too_large')
    })
  })

  test('oversized headers and invalid HTTP get the error envelope of the API', async () => {
    await serving({ maxHeaderBytes: 8_192 }, async (listening) => {
      const response = await fetch(`${listening.url}/healthz`, { headers: { 'x-long': 'x'.repeat(10_000) } })
      assert.equal(response.status, 431)
      assert.equal(((await response.json()) as ErrorBody).request_id, response.headers.get('request-id'))
      const socket = connect(listening.port, '127.0.0.1')
      socket.write('hello?\r\n\r\n')
      assert.match(await textOf(socket), /^HTTP\/1\.1 400 [^]*"type":"invalid_request_error"/)
    })
  })

  test('refuses a path that is not a valid URL', async () => {
    await serving({}, async ({ port }) => {
      const socket = connect(port, '127.0.0.1')
      socket.write('OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
      assert.match(await textOf(socket), /^HTTP\/1\.1 400 [^]*The request has no valid path/)
    })
  })
})

suite('close()', () => {
  test('finishes a stream in flight and refuses new connections', async () => {
    const engine = script([{ reply: 'Hello there.', eventDelayMs: 20 }])
    const listening = await listen(createServer({ engine }))
    const response = await post(listening, { ...base, stream: true })
    const closed = listening.close()
    // Connections that are made at the same moment are still accepted.
    await until(() =>
      post(listening, base).then(
        () => false,
        (error: unknown) => error instanceof TypeError,
      ),
    )
    assert.match(await response.text(), /event: message_stop/)
    await closed
  })

  test('aborts replies that do not end within graceMs, with an error that can be retried', async () => {
    const engine = script([
      { reply: 'Hello.', after: 2, stall: true },
      { reply: 'Hello.', after: 2, stall: true },
    ])
    const log: AccessEntry[] = []
    const listening = await listen(createServer({ engine, log: (entry) => log.push(entry) }))
    const stream = await post(listening, { ...base, stream: true })
    const whole = post(listening, base)
    await until(() => engine.requests.length === 2)
    await listening.close({ graceMs: 20 })
    assert.equal(engine.requests[0]!.context.signal!.aborted, true)
    assert.match(await stream.text(), /\n\nevent: error\ndata: .*"overloaded_error","message":"This server is stopping/)
    const response = await whole
    assert.deepEqual([response.status, response.headers.get('x-should-retry')], [529, 'true'])
    assert.match(await response.text(), /This server is stopping/)
    assert.deepEqual(
      log.map(({ aborted, error }) => [aborted, (error as Error).message.includes('stopping')]),
      [
        [false, true],
        [false, true],
      ],
    )
  })

  test('does not wait for a client that reads nothing', { timeout: 120_000 }, async () => {
    const engine = script([{ reply: 'x'.repeat(50_000_000) }])
    const listening = await listen(createServer({ engine }))
    const socket = connect(listening.port, '127.0.0.1').pause()
    const body = JSON.stringify({ ...base, stream: true })
    socket.write(
      `POST /v1/messages HTTP/1.1\r\nhost: x\r\nanthropic-version: 2026-10-21\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    await until(() => socket.bytesWritten > 0 && engine.requests.length === 1)
    await listening.close({ graceMs: 20 })
    socket.destroy()
  })

  test('does not wait for idle connections', async () => {
    const listening = await listen(createServer({ engine: offline() }))
    await (await post(listening, base)).text()
    await listening.close({ graceMs: 60_000 })
  })
})

test('listen() rejects if the port is in use', async () => {
  await serving({}, async ({ port }) => {
    await assert.rejects(
      listen(createServer({ engine: offline() }), { port }),
      new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}`),
    )
  })
})

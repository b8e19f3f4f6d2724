// Leaves streams in every way, as often as the argument says, and prints how many are still in memory. Run with --expose-gc.
import { getEventListeners } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import Anthropic from 'colloquy'

const rounds = Number(process.argv[2])

/** After an abort, fetch opens some connections in advance. */
const spareConnections = 5

const event = (data: { type: string; [field: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const begun = [
  event({
    type: 'message_start',
    message: { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 1 } },
  }),
  event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hello' } }),
].join('')
const finished = event({ type: 'message_stop' })
const failed = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })
const batch = { id: 'batch_1', type: 'message_batch', processing_status: 'ended', results_url: '' }

/** Ends a stream as the model's name says: `open` not at all. */
const server = http.createServer((request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => (body += chunk.toString()))
  request.on('end', () => {
    if (request.url!.endsWith('/results')) {
      response.writeHead(200).write('{"custom_id":"1"}\n')
      return
    }
    if (request.method === 'GET') {
      response.end(JSON.stringify({ ...batch, results_url: `${base}/v1/messages/batches/batch_1/results` }))
      return
    }
    const { model } = JSON.parse(body) as { model: string }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (model === 'silent') response.flushHeaders()
    else response.write(begun)
    if (model === 'finished') response.end(finished)
    else if (model === 'failed') response.end(failed)
    else if (model === 'cut') setTimeout(() => response.destroy(), 5)
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const params = (model: string): Anthropic.MessageCreateParamsNonStreaming => ({
  model,
  max_tokens: 5,
  messages: [{ role: 'user', content: 'x' }],
})

type Track = <Value extends object>(value: Value) => Value
type Way = (client: Anthropic, track: Track, options: Anthropic.RequestOptions) => Promise<void>

const create = async (client: Anthropic, model: string, track: Track, options: Anthropic.RequestOptions) =>
  track(await client.messages.create({ ...params(model), stream: true }, options))

const helper = (client: Anthropic, model: string, track: Track, options: Anthropic.RequestOptions) =>
  track(client.messages.stream(params(model), options))

const nothing = (): void => {}
const tick = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const ways: Record<string, Way> = {
  'create: break': async (client, track, options) => {
    for await (const { type } of await create(client, 'open', track, options)) if (type === 'content_block_delta') break
  },
  'create: controller.abort() in the loop': async (client, track, options) => {
    const stream = await create(client, 'open', track, options)
    await (async () => {
      for await (const { type } of stream) if (type === 'content_block_delta') stream.controller.abort()
    })().catch(nothing)
  },
  'create: controller.abort() before the loop': async (client, track, options) => {
    const stream = await create(client, 'open', track, options)
    track(stream.controller).abort()
  },
  'create: an error thrown in the loop': async (client, track, options) => {
    const stream = await create(client, 'open', track, options)
    await (async () => {
      for await (const _ of stream) throw new Error('mistake')
    })().catch(nothing)
  },
  'create: the end': async (client, track, options) => {
    for await (const _ of await create(client, 'finished', track, options));
  },
  'create: an error of the API': async (client, track, options) => {
    await Array.fromAsync(await create(client, 'failed', track, options)).catch(nothing)
  },
  'create: a cut': async (client, track, options) => {
    await Array.fromAsync(await create(client, 'cut', track, options)).catch(nothing)
  },
  'create: silence': async (client, track, options) => {
    await Array.fromAsync(await create(client, 'open', track, { ...options, idleTimeout: 5 })).catch(nothing)
  },
  'create: never read': async (client, track, options) => {
    await create(client, 'open', track, options)
  },
  'create: one event read': async (client, track, options) => {
    await (await create(client, 'open', track, options))[Symbol.asyncIterator]().next()
  },
  'create: return() at once': async (client, track, options) => {
    await (await create(client, 'open', track, options))[Symbol.asyncIterator]().return?.()
  },
  'create: withResponse() and break': async (client, track, options) => {
    const { data } = await client.messages.create({ ...params('open'), stream: true }, options).withResponse()
    for await (const _ of track(data)) break
  },
  'create: both branches of tee() left': async (client, track, options) => {
    for (const branch of (await create(client, 'open', track, options)).tee())
      for await (const _ of track(branch)) break
  },
  'create: toReadableStream() cancelled': async (client, track, options) => {
    const reader = (await create(client, 'open', track, options)).toReadableStream().getReader()
    await reader.read()
    await reader.cancel()
  },
  'create: a signal of its own aborts': async (client, track) => {
    const controller = track(new AbortController())
    const stream = await create(client, 'open', track, { signal: controller.signal })
    await (async () => {
      for await (const { type } of stream) if (type === 'content_block_delta') controller.abort()
    })().catch(nothing)
  },
  'create: a signal of its own aborts, then never read': async (client, track) => {
    const controller = track(new AbortController())
    const stream = await create(client, 'open', track, { signal: controller.signal })
    ;(() => {
      void stream.request_id
      controller.abort()
    })()
  },
  'create: a signal aborts before the first event': async (client, track) => {
    const controller = track(new AbortController())
    const stream = create(client, 'silent', track, { signal: controller.signal })
    setTimeout(() => controller.abort(), 5)
    await stream.catch(nothing)
  },
  'create with recover: break': async (client, track, options) => {
    const stream = await create(client, 'open', track, { ...options, recover: { attempts: 1 } })
    for await (const { type } of stream) if (type === 'content_block_delta') break
  },
  'create with recover: an error of the API': async (client, track, options) => {
    const stream = await create(client, 'failed', track, { ...options, recover: { attempts: 1 }, maxRetryDelay: 1 })
    await Array.fromAsync(stream).catch(nothing)
  },
  'stream: break': async (client, track, options) => {
    for await (const { type } of helper(client, 'open', track, options)) if (type === 'content_block_delta') break
  },
  'stream: abort() before it is read': async (client, track, options) => {
    const stream = helper(client, 'open', track, options)
    await tick(5)
    stream.abort()
  },
  'stream: a signal of its own aborts, then never read': async (client, track) => {
    const controller = track(new AbortController())
    const stream = helper(client, 'open', track, { signal: controller.signal })
    await stream.withResponse()
    ;(() => {
      void stream.ended
      controller.abort()
    })()
  },
  'stream: abort() from a listener': async (client, track, options) => {
    const stream = helper(client, 'open', track, options)
    stream.on('text', () => stream.abort())
    await stream.done().catch(nothing)
  },
  'stream: an error thrown by a listener': async (client, track, options) => {
    const stream = helper(client, 'open', track, options).on('text', () => {
      throw new Error('mistake')
    })
    await stream.done().catch(nothing)
  },
  'stream: the end': async (client, track, options) => {
    track(await helper(client, 'finished', track, options).finalMessage())
  },
  'stream: an error of the API': async (client, track, options) => {
    await helper(client, 'failed', track, options).finalMessage().catch(nothing)
  },
  'stream: a cut': async (client, track, options) => {
    await helper(client, 'cut', track, options).finalMessage().catch(nothing)
  },
  'stream: never read': async (client, track, options) => {
    helper(client, 'open', track, options)
    await tick(5)
  },
  'stream: withResponse() and never read': async (client, track, options) => {
    await helper(client, 'open', track, options).withResponse()
  },
  'stream: toReadableStream() cancelled': async (client, track, options) => {
    const reader = helper(client, 'open', track, options).toReadableStream().getReader()
    await reader.read()
    await reader.cancel()
  },
  'thread: break': async (client, track, options) => {
    const thread = track(client.beta.messages.thread({ ...params('open'), messages: [] }))
    const stream = track(thread.stream({ role: 'user', content: 'x' }, {}, options))
    for await (const { type } of stream) if (type === 'content_block_delta') break
  },
  'tool runner: break': async (client, track, options) => {
    const runner = track(
      client.beta.messages.toolRunner({ ...params('open'), stream: true, thread: false, tools: [] }, options),
    )
    for await (const stream of runner) {
      await track(stream).emitted('text')
      break
    }
  },
  'batch results: break': async (client, track, options) => {
    for await (const _ of track(await client.messages.batches.results('batch_1', null, options))) break
  },
  'batch results: controller.abort()': async (client, track, options) => {
    track(await client.messages.batches.results('batch_1', null, options)).controller.abort()
  },
  'batch results: never read': async (client, track, options) => {
    track(await client.messages.batches.results('batch_1', null, options))
  },
}

/** How many of the tracked objects are alive once the garbage was collected, and how many connections are open. */
async function settled(refs: readonly WeakRef<object>[]): Promise<{ alive: number; connections: number }> {
  const state = { alive: refs.length, connections: 0 }
  for (let tries = 0; tries < 500; tries++) {
    await tick(20)
    globalThis.gc!()
    server.closeIdleConnections()
    state.alive = refs.filter((ref) => ref.deref() !== undefined).length
    state.connections = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))
    if (state.alive === 0 && state.connections <= spareConnections) break
  }
  return state
}

const results: Record<string, object> = {}
for (const [transport, fetch] of [
  ['sockets', undefined],
  ['fetch', globalThis.fetch],
] as const) {
  for (const [name, leave] of Object.entries(ways)) {
    const client = new Anthropic({ apiKey: 'key', baseURL: base, maxRetryDelay: 1, ...(fetch && { fetch }) })
    const { signal } = new AbortController()
    const refs: WeakRef<object>[] = []
    const track: Track = (value) => {
      refs.push(new WeakRef(value))
      return value
    }
    for (let round = 0; round < rounds; round++) await leave(client, track, { signal })
    const state = await settled(refs)
    results[`${transport}, ${name}`] = {
      made: refs.length,
      ...state,
      listeners: getEventListeners(signal, 'abort').length,
    }
  }
}
process.stdout.write(JSON.stringify(results))
process.exit(0)

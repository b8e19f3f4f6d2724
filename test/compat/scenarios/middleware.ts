import type { Middleware } from '@anthropic-ai/sdk'
import { failure, hello, helloStream, json, message, sse } from '../fixtures.ts'
import { ownError, type Context, type Scenario } from '../scenario.ts'

const good = json(message())
const ask: Scenario['run'] = async ({ client }) => (await client.messages.create(hello)).id

/** The first attempt throws, the others pass. */
function throwsOnce(make: (Anthropic: typeof globalThis) => unknown): Middleware {
  let attempts = 0
  return async (request, next) => {
    if (attempts++ === 0) throw make(globalThis)
    return next(request)
  }
}

/** Middleware: what it sees, parses and throws. */
export const middleware: Scenario[] = [
  wraps('parses a reply', async (request, next, context, seen) => {
    const response = await next(request)
    const parsed = await context.parse<{ id: string }>(response)
    seen.push(parsed, (await context.parse(response)) === parsed, response.bodyUsed)
    return response
  }),
  wraps(
    'parses an error',
    async (request, next, context, seen) => {
      const response = await next(request)
      seen.push(response.status, await context.parse(response))
      return response
    },
    [failure(400, 'invalid_request_error', 'No')],
  ),
  wraps(
    'parses text',
    async (request, next, context, seen) => {
      const response = await next(request)
      seen.push(await context.parse(response))
      return Response.json(message())
    },
    [{ headers: { 'content-type': 'text/plain' }, body: ['Hello'] }],
  ),
  {
    name: 'the error of a connection that fails inside next()',
    async run({ Anthropic }) {
      let caught: unknown
      const observe: Middleware = async (request, next) => {
        try {
          return await next(request)
        } catch (error) {
          caught = error
          throw error
        }
      }
      const fetch = async (): Promise<Response> => Promise.reject(new TypeError('fetch failed'))
      const client = new Anthropic({ apiKey: 'sk-ant-test', maxRetries: 0, fetch, middleware: [observe] })
      await client.messages.create(hello).catch(() => {})
      return (caught as Error).constructor.name
    },
    differs: [{ name: 'middleware-errors', at: 'returned', official: 'TypeError', ours: 'APIConnectionError' }],
  },
  {
    name: 'parses the events of a stream, which goes on',
    replies: [sse(helloStream)],
    async run({ Anthropic, stage }) {
      const seen: unknown[] = []
      const observe: Middleware = async (request, next, context) => {
        const response = await next(request)
        const events = await context.parse<AsyncIterable<{ type: string }>>(response)
        for await (const { type } of events) seen.push(type)
        return response
      }
      const client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: stage.url, middleware: [observe] })
      const read: unknown[] = []
      for await (const { type } of await client.messages.create({ ...hello, stream: true })) read.push(type)
      return [seen, read]
    },
  },
  {
    name: 'parse() of a response that was read',
    replies: [good],
    options: {
      maxRetries: 0,
      middleware: [
        async (request, next, context) => {
          const response = await next(request)
          await response.text()
          await context.parse(response)
          return response
        },
      ],
    },
    run: ask,
    differs: [ownError('threw', { classes: 'AnthropicError < Error' })],
  },
  {
    name: 'a body that middleware has read',
    replies: [good],
    options: {
      maxRetries: 0,
      middleware: [
        async (request, next) => {
          const response = await next(request)
          await response.text()
          return response
        },
      ],
    },
    run: ask,
    differs: [ownError('threw', { classes: 'AnthropicError < Error' })],
  },
  { name: 'throws what is not an error', options: { middleware: [async () => Promise.reject('oops')] }, run: ask },
  {
    name: 'throws an error of its own',
    options: { middleware: [async () => Promise.reject(new RangeError('no'))] },
    run: ask,
  },
  {
    name: 'a connection error in the causes is retried',
    replies: [good],
    async run({ Anthropic, stage }) {
      const cause = new Anthropic.APIConnectionError({ message: 'reset' })
      const once = throwsOnce(() => new Error('outer', { cause: new Error('middle', { cause }) }))
      const client = new Anthropic({ apiKey: 'sk-ant-test', baseURL: stage.url, logLevel: 'off', middleware: [once] })
      return (await client.messages.create(hello)).id
    },
    hurried: true,
  },
  {
    name: 'a connection error in the causes, until no retry is left',
    async run({ Anthropic, stage }) {
      let attempts = 0
      const cause = new Anthropic.APIConnectionError({ message: 'reset' })
      const fails: Middleware = async () => {
        attempts++
        throw new Error('outer', { cause })
      }
      const options = { apiKey: 'sk-ant-test', baseURL: stage.url, maxRetries: 1, logLevel: 'off' } as const
      const client = new Anthropic({ ...options, middleware: [fails] })
      const error: unknown = await client.messages.create(hello).catch((error: unknown) => error)
      return [attempts, (error as Error).message, error instanceof Anthropic.APIError]
    },
    hurried: true,
  },
  {
    name: 'its own time is not counted',
    replies: [good],
    options: {
      timeout: 400,
      middleware: [
        async (request, next) => {
          await new Promise((resolve) => setTimeout(resolve, 600))
          return next(request)
        },
      ],
    },
    run: ask,
  },
  {
    name: 'the time of the request that it sends is counted',
    replies: [{ status: 0, end: 'hold' }],
    options: { timeout: 15_000, maxRetries: 0, middleware: [async (request, next) => next(request)] },
    run: ask,
    hurried: true,
  },
  {
    name: 'its logger obeys the level of the client',
    replies: [good],
    async run({ Anthropic, stage }) {
      const lines: string[] = []
      const write = (line: string): void => void lines.push(line)
      const logs: Middleware = async (request, next, { logger }) => {
        logger.error('an error')
        logger.warn('a warning')
        logger.debug('a detail')
        return next(request)
      }
      const logger = { error: write, warn: write, info: write, debug: write }
      const options = { apiKey: 'sk-ant-test', baseURL: stage.url, logger, logLevel: 'warn' } as const
      await new Anthropic({ ...options, middleware: [logs] }).messages.create(hello)
      return lines
    },
  },
  {
    name: 'is added to a client later',
    replies: [good, good],
    async run({ client }) {
      const list = client.middleware as Middleware[]
      list.push(async (request, next) => {
        request.headers.set('x-added', '1')
        return next(request)
      })
      await client.messages.create(hello)
      return (await client.withOptions({ maxRetries: 1 }).messages.create(hello)).id
    },
  },
  {
    name: 'put(), patch() and their bodies',
    replies: [json({ a: 1 }), json({ b: 2 })],
    run: async ({ client }) => [
      await client.put('/v1/things/1', { body: { x: 1 }, query: { q: '1' } }),
      await client.patch('/v1/things/2', { body: { y: 2 }, headers: { 'x-own': '1' } }),
    ],
  },
  {
    name: 'post() that streams',
    replies: [sse(helloStream)],
    run: async ({ client }) => {
      const body = { ...hello, stream: true }
      const stream = await client.post<AsyncIterable<object>>('/v1/messages', { body, stream: true })
      return Array.fromAsync(stream)
    },
  },
  {
    name: 'post() of bodies that are not JSON',
    replies: [json({}), json({}), json({}), json({})],
    run: async ({ client }) => {
      await client.post('/v1/a', { body: new URLSearchParams({ a: '1', b: 'é' }) })
      await client.post('/v1/b', { body: new Blob(['x'], { type: 'text/csv' }) })
      await client.post('/v1/c', { body: new Blob(['x']).stream(), headers: { 'content-type': 'text/plain' } })
      await client.post('/v1/d', { body: new TextEncoder().encode('y').buffer, headers: { 'content-type': 'a/b' } })
    },
  },
]

function wraps(
  name: string,
  run: (...parameters: [...Parameters<Middleware>, unknown[]]) => Promise<Response>,
  replies = [good],
): Scenario {
  return {
    name,
    replies,
    async run({ Anthropic, stage }: Context) {
      const seen: unknown[] = []
      const options = { apiKey: 'sk-ant-test', baseURL: stage.url, maxRetries: 0, logLevel: 'off' } as const
      const client = new Anthropic({ ...options, middleware: [(...parameters) => run(...parameters, seen)] })
      await client.messages.create(hello).catch((error: unknown) => seen.push((error as Error).name))
      return seen
    },
  }
}

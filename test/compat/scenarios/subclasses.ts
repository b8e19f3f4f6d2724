import type { ClientOptions } from '@anthropic-ai/sdk'
import type Official from '@anthropic-ai/sdk'
import { failure, hello, helloStream, json, message, sse } from '../fixtures.ts'
import { ownError, type Context, type Difference, type Scenario } from '../scenario.ts'
import type { Reply } from '../recording-server.ts'

type Class = typeof Official
/** The members that a subclass may override, which the official types protect. */
type Members = Record<string, (this: Official & { seen: unknown[] }, ...given: never[]) => unknown>

/** A subclass with methods of its own. `superOf` calls a method of the class that it extends. */
type Define = (superOf: (client: object, name: string, ...given: unknown[]) => unknown) => Members

const good = json(message())

/** Methods that subclasses override. */
export const subclasses: Scenario[] = [
  overrides('no method', () => ({})),
  overrides('prepareOptions() with another path, query, body and header', (superOf) => ({
    async prepareOptions(options: Record<string, unknown>) {
      await superOf(this, 'prepareOptions', options)
      this.seen.push(options['path'], options['method'])
      Object.assign(options, {
        path: '/v1/other',
        query: { a: 'b' },
        body: { changed: true },
        headers: { 'x-own': '1' },
      })
    },
  })),
  overrides(
    'prepareOptions() for each attempt',
    () => ({
      async prepareOptions(options: { headers?: object }) {
        this.seen.push('prepared')
        options.headers = { 'x-attempt': String(this.seen.length) }
      },
    }),
    { replies: [failure(429, 'rate_limit_error', 'Later', { headers: { 'retry-after-ms': '1' } }), good] },
  ),
  overrides('prepareOptions() that throws', () => ({
    async prepareOptions() {
      throw new TypeError('not now')
    },
  })),
  overrides('prepareRequest() with a signature', (superOf) => ({
    async prepareRequest(request: RequestInit & { headers: Headers }, context: { url: string; options: object }) {
      await superOf(this, 'prepareRequest', request, context)
      this.seen.push(
        request.method,
        new URL(context.url).pathname.slice(-12),
        typeof request.body,
        'path' in context.options,
      )
      request.headers.set('x-signature', String(String(request.body).length))
    },
  })),
  overrides('prepareRequest() with another body and plain headers', () => ({
    async prepareRequest(request: RequestInit) {
      request.body = '{"other":true}'
      request.headers = { ...Object.fromEntries(request.headers as Headers), 'x-plain': '1' }
    },
  })),
  overrides(
    'authHeaders() beside those of the class',
    (superOf) => ({
      async authHeaders(options: object) {
        const headers = (await superOf(this, 'authHeaders', options)) as { values: Headers }
        headers.values.set('x-tenant', '7')
        return headers
      },
    }),
    { options: { apiKey: 'other-key' } },
  ),
  overrides('authHeaders() instead of a key', () => ({
    async authHeaders() {
      return { 'api-key': 'other' }
    },
    validateHeaders() {},
  })),
  overrides('authHeaders() without headers', () => ({ authHeaders: async () => undefined, validateHeaders() {} }), {
    options: { apiKey: null },
  }),
  overrides(
    'authHeaders() that a header of the request replaces',
    () => ({
      authHeaders: async () => ({ 'api-key': 'own', 'x-a': '1' }),
      validateHeaders() {},
    }),
    { request: { headers: { 'api-key': 'given', 'x-a': null } } },
  ),
  overrides(
    'authHeaders() beside the key of a function',
    (superOf) => ({
      async authHeaders(options: object) {
        return superOf(this, 'authHeaders', options)
      },
    }),
    { options: { apiKey: async () => 'found-key' } },
  ),
  overrides(
    'authHeaders() that finds no key and a header of its own',
    () => ({
      authHeaders: async () => ({ 'api-key': 'other' }),
    }),
    { differs: [ownError('threw', { classes: 'Error' })] },
  ),
  overrides('apiKeyAuth()', () => ({
    async apiKeyAuth() {
      return { 'x-other-key': String(this.apiKey) }
    },
    validateHeaders() {},
  })),
  overrides(
    'bearerAuth()',
    () => ({
      async bearerAuth() {
        return { authorization: `Token ${this.authToken}` }
      },
    }),
    { options: { apiKey: null, authToken: 'abc' } },
  ),
  overrides('validateHeaders() that refuses', () => ({
    validateHeaders({ values }: { values: Headers }) {
      this.seen.push(values.get('content-type'))
      throw new RangeError('refused')
    },
  })),
  overrides('defaultQuery()', () => ({ defaultQuery: () => ({ 'api-version': '7' }) }), {
    request: { query: { b: '2' } },
  }),
  overrides(
    'buildURL()',
    (superOf) => ({
      buildURL(path: string, ...rest: unknown[]) {
        return String(superOf(this, 'buildURL', path, ...rest)).replace('/v1/', '/own/')
      },
    }),
    { request: { query: { b: '2' } } },
  ),
  overrides('getUserAgent()', () => ({ getUserAgent: () => 'Own/1' })),
  overrides(
    'makeStatusError()',
    () => ({
      makeStatusError(status: number, error: object, text: string | undefined, headers: Headers) {
        this.seen.push(status, error, text, headers.get('request-id'))
        return Object.assign(new RangeError('own'), { status })
      },
    }),
    { replies: [failure(400, 'invalid_request_error', 'No')] },
  ),
  overrides(
    'makeStatusError() of a page',
    (superOf) => ({
      makeStatusError(status: number, error: object | undefined, text: string | undefined, headers: Headers) {
        this.seen.push(status, error, text)
        return superOf(this, 'makeStatusError', status, error, text, headers)
      },
    }),
    { replies: [{ status: 404, headers: { 'content-type': 'text/html' }, body: ['<h1>Nothing</h1>'] }] },
  ),
  overrides(
    'makeStatusError() after the last attempt',
    () => ({
      makeStatusError: (status: number) => new RangeError(`own ${status}`),
    }),
    { replies: [failure(500, 'api_error', 'No')], options: { maxRetries: 0 } },
  ),
  overrides(
    'backendMiddleware() inside other middleware',
    () => ({
      backendMiddleware() {
        return [
          async (request: { url: string; body: string; headers: Headers }, next: (request: object) => unknown) => {
            this.seen.push(new URL(request.url).pathname.slice(-12), request.headers.get('x-outer'))
            const { model, ...body } = JSON.parse(request.body) as Record<string, unknown>
            return next({
              ...request,
              url: request.url.replace('/v1/messages', `/model/${String(model)}`),
              body: JSON.stringify(body),
            })
          },
        ]
      },
    }),
    {
      options: {
        middleware: [
          async (request, next) => {
            request.headers.set('x-outer', '1')
            return next(request)
          },
        ],
      },
    },
  ),
  overrides(
    'backendMiddleware() of a stream',
    () => ({
      backendMiddleware: () => [
        async (request: { url: string }, next: (request: object) => unknown) =>
          next({ ...request, url: request.url.replace('/v1/', '/v2/') }),
      ],
    }),
    {
      replies: [sse(helloStream)],
      ask: async (client) => (await client.messages.stream(hello).finalMessage()).content,
    },
  ),
  overrides('options of its own and a base URL that ends in /v1', () => ({}), {
    options: { region: 'north' } as ClientOptions,
    prefix: '/v1',
    ask: async (client) => {
      const copy = client.withOptions({ maxRetries: 0 })
      return (await copy.messages.create(hello)).id
    },
  }),
]

interface Use {
  replies?: readonly Reply[]
  options?: ClientOptions
  request?: object
  prefix?: string
  ask?: (client: Official) => Promise<unknown>
  differs?: readonly Difference[]
}

/** A request of a subclass with these methods, and what they saw. */
function overrides(name: string, define: Define, use: Use = {}): Scenario {
  const { replies = [good], options, request, prefix = '', differs } = use
  const ask = use.ask ?? (async (client) => (await client.messages.create(hello, request)).id)
  return {
    name,
    replies,
    ...(differs && { differs }),
    async run({ Anthropic, stage }: Context) {
      const Own = subclassOf(Anthropic, define)
      const client = new Own({ apiKey: 'sk-ant-test', baseURL: stage.url + prefix, logLevel: 'off', ...options })
      return [await ask(client), client.seen]
    },
  }
}

function subclassOf(Anthropic: Class, define: Define): new (options: ClientOptions) => Official & { seen: unknown[] } {
  class Own extends Anthropic {
    readonly seen: unknown[] = []
  }
  const superOf = (client: object, name: string, ...given: unknown[]): unknown =>
    (Reflect.get(Anthropic.prototype, name) as (...given: unknown[]) => unknown).apply(client, given)
  for (const [name, value] of Object.entries(define(superOf))) Object.defineProperty(Own.prototype, name, { value })
  return Own
}

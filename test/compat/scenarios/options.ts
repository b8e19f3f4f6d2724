import type { ClientOptions } from '@anthropic-ai/sdk'
import { inspect } from 'node:util'
import { failure, hello, json, message } from '../fixtures.ts'
import { ownError, type Difference, type Scenario } from '../scenario.ts'

const good = json(message())
const refusals: readonly Difference[] = [ownError('returned.0'), ownError('returned.1')]
const ask: Scenario['run'] = async ({ client }) => (await client.messages.create(hello)).id

/** Client options: addresses, credentials, headers and others. */
export const options: Scenario[] = [
  given('an API key', { apiKey: 'sk-ant-mine' }),
  given('a key of another make', { apiKey: 'gateway-key' }, [
    { name: 'api-key-header', at: 'requests.0.headers.authorization', official: 'Bearer gateway-key' },
    { name: 'api-key-header', at: 'requests.0.headers.x-api-key', ours: 'gateway-key' },
  ]),
  given('a token', { authToken: 'oat-mine' }),
  given('a key that is fetched for each request', { apiKey: async () => 'sk-ant-fetched' }),
  {
    name: 'a key that cannot be fetched',
    options: { apiKey: () => Promise.reject(new Error('vault is closed')) },
    run: ask,
    differs: [ownError('threw', { message: 'The `apiKey` function failed: vault is closed' })],
  },
  {
    name: 'a key that is fetched and empty',
    options: { apiKey: async () => '' },
    run: ask,
    differs: [ownError('threw')],
  },
  { name: 'no key at all', options: { apiKey: null }, run: ask, differs: [ownError('threw', { classes: 'Error' })] },
  {
    name: 'a key and a token',
    options: { apiKey: 'sk-ant-a', authToken: 'b' },
    run: ask,
    differs: [{ name: 'own-errors', at: 'threw.message', official: /^Pass at most one of/, ours: /^Cannot use both/ }],
  },
  given('a key of its own in the default headers', { apiKey: null, defaultHeaders: { 'X-Api-Key': 'sk-ant-own' } }),
  given('a token beside a key in the default headers', {
    authToken: 'oat-mine',
    defaultHeaders: { 'X-Api-Key': 'sk-ant-own' },
  }),
  given('a token beside a declined key', { authToken: 'oat-mine', defaultHeaders: { 'X-Api-Key': null } }),
  given('a declined authentication', { apiKey: null, defaultHeaders: { Authorization: null } }),
  given('default headers of every form', {
    defaultHeaders: { 'X-One': '1', 'x-list': ['a', 'b'], 'x-none': undefined, 'x-gone': null },
  }),
  given('default headers as Headers', { defaultHeaders: new Headers({ 'x-one': '1' }) }),
  given('default headers as pairs', {
    defaultHeaders: [
      ['x-one', '1'],
      ['X-Two', '2'],
    ],
  }),
  given('a media type in the default headers', { defaultHeaders: { 'Content-Type': 'text/plain', 'x-one': '1' } }),
  given('no media type in the default headers', { defaultHeaders: { 'Content-Type': null } }),
  given('an API version of its own', { defaultHeaders: { 'anthropic-version': '2023-06-01' } }),
  given('a user agent of its own', { defaultHeaders: { 'x-app': 'mine' } }),
  given('a browser that is allowed', { dangerouslyAllowBrowser: true }),
  refusesToRun('in a page', { window: { document: {} } }, refusals),
  refusesToRun('in a page whose document is gone', { window: { document: null } }, refusals),
  refusesToRun('in a window without a document', { window: {} }),
  refusesToRun('with a document but without a window', { document: {} }),
  refusesToRun('where nothing says who navigates', { window: { document: {} }, navigator: undefined }),
  refusesToRun("in a page's worker", { self: globalThis, WorkerGlobalScope: Object, importScripts: () => {} }),
  given('a default query', { defaultQuery: { a: '1', b: undefined, c: 'é &' } }),
  given('a base URL with a slash at its end', ({ url }) => ({ baseURL: `${url}/` })),
  given('a base URL with a path', ({ url }) => ({ baseURL: `${url}/gateway/anthropic` })),
  given(
    'a base URL with a query',
    ({ url }) => ({ baseURL: `${url}/gateway?tenant=1` }),
    refused('/gateway?tenant=1%2Fv1%2Fmessages'),
  ),
  given('a base URL that ends in /v1', ({ url }) => ({ baseURL: `${url}/v1` }), refused('/v1/v1/messages')),
  {
    name: 'an invalid base URL',
    options: { baseURL: 'not a url' },
    run: ask,
    differs: [ownError('threw', { classes: 'TypeError < Error', message: 'Invalid URL' })],
  },
  given('an empty base URL beside a fetch', ({ url }) => ({
    baseURL: '',
    fetch: (asked, init) => fetch(String(asked).replace('https://api.anthropic.com', url), init),
  })),
  variables('ANTHROPIC_API_KEY', { ANTHROPIC_API_KEY: 'sk-ant-environment' }),
  variables('ANTHROPIC_API_KEY with white space', { ANTHROPIC_API_KEY: '  sk-ant-environment\n' }),
  variables('ANTHROPIC_AUTH_TOKEN', { ANTHROPIC_AUTH_TOKEN: 'oat-environment' }),
  variables('both, of which the key wins', { ANTHROPIC_API_KEY: 'sk-ant-environment', ANTHROPIC_AUTH_TOKEN: 'oat' }),
  variables(
    'a token that is given beside a key in the environment',
    { ANTHROPIC_API_KEY: 'sk-ant-environment' },
    { authToken: 'oat-mine' },
  ),
  variables(
    'a key that is given beside a token in the environment',
    { ANTHROPIC_AUTH_TOKEN: 'oat' },
    { apiKey: 'sk-ant-mine' },
  ),
  variables('ANTHROPIC_BASE_URL', { ANTHROPIC_BASE_URL: '$url/from-environment' }),
  variables(
    'a base URL that is given beside one in the environment',
    { ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' },
    'own',
  ),
  {
    name: 'the environment: a base URL of null or of no text beside one in the environment',
    env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' },
    run: ({ Anthropic }) => [null, ''].map((baseURL) => new Anthropic({ apiKey: 'sk-ant-test', baseURL }).baseURL),
  },
  variables('ANTHROPIC_CUSTOM_HEADERS', { ANTHROPIC_CUSTOM_HEADERS: 'X-One: 1\nx-two:  2:3 \nnonsense\n' }),
  variables(
    'default headers over ANTHROPIC_CUSTOM_HEADERS',
    { ANTHROPIC_CUSTOM_HEADERS: 'x-one: 1' },
    { defaultHeaders: { 'x-one': '2' } },
  ),
  variables(
    'ANTHROPIC_CUSTOM_HEADERS merged with Headers',
    { ANTHROPIC_CUSTOM_HEADERS: 'x-one: 1\nx-two: 2' },
    { defaultHeaders: new Headers({ 'X-One': 'own', 'x-three': '3' }) },
  ),
  variables(
    'ANTHROPIC_CUSTOM_HEADERS merged with pairs',
    { ANTHROPIC_CUSTOM_HEADERS: 'X-One: 1\nx-two: 2' },
    {
      defaultHeaders: [
        ['x-one', 'own'],
        ['x-three', '3'],
      ],
    },
  ),
  {
    name: 'headers of one request, over those of the client',
    replies: [good],
    options: { defaultHeaders: { 'x-one': '1', 'x-two': '2', 'x-three': '3' } },
    run: ({ client }) =>
      client.messages.create(hello, { headers: { 'X-One': 'own', 'x-two': null, 'x-three': undefined } }),
  },
  {
    name: 'a media type of one request',
    replies: [good],
    run: ({ client }) =>
      client.messages.create(hello, { headers: { 'content-type': 'application/json; charset=utf-8' } }),
  },
  {
    name: 'pairs of one name, after a null among them',
    replies: [good],
    run: ({ client }) =>
      client.messages.create(hello, {
        headers: [
          ['X-One', ['1', null]],
          ['x-one', '2'],
          ['x-one', '3'],
        ] as never,
      }),
  },
  {
    name: 'beta values of one request',
    replies: [good],
    run: ({ client }) =>
      client.messages.create(hello, {
        headers: { 'anthropic-beta': 'context-1m-2025-08-07,interleaved-thinking-2025-05-14' },
      }),
  },
  {
    name: 'a method and a body of one request',
    replies: [good, good, good],
    async run({ client }) {
      await client.messages.create(hello, { method: 'put', body: { own: true } })
      await client.messages.create(hello, { body: { own: true }, stream: true })
      await client.messages.countTokens(hello, { method: 'patch', body: { own: true } })
    },
  },
  {
    name: 'withOptions(null)',
    replies: [good],
    run: ({ client }) => client.withOptions(null as never).messages.create(hello),
  },
  {
    name: 'a query of one request',
    replies: [good],
    options: { defaultQuery: { a: '1', b: '2' } },
    run: ({ client }) => client.messages.create(hello, { query: { b: '3', list: ['x', 'y'] } }),
  },
  {
    name: 'the headers that describe the client',
    options: { timeout: 5000, maxRetries: 4, apiKey: 'sk-ant-mine' },
    run: ({ client, stage }) => [
      client.apiKey,
      client.authToken,
      client.baseURL === stage.url,
      client.timeout,
      client.maxRetries,
    ],
  },
  {
    name: 'the headers that describe the client by default',
    run: ({ Anthropic }) => {
      const client = new Anthropic({ apiKey: 'x', baseURL: null })
      return [client.baseURL, client.timeout, client.maxRetries, Anthropic.DEFAULT_TIMEOUT]
    },
  },
  {
    name: 'withOptions() changes what it names and keeps the rest',
    replies: [good, good, failure(529, 'overloaded_error', 'Overloaded')],
    options: { defaultHeaders: { 'x-one': '1' }, timeout: 7000, maxRetries: 5 },
    async run({ client }) {
      const other = client.withOptions({ maxRetries: 0, defaultHeaders: { 'x-two': '2' } })
      await client.messages.create(hello)
      await other.messages.create(hello)
      const error = await other.messages.create(hello).catch((error: unknown) => error)
      return [other instanceof client.constructor, other.timeout, other.maxRetries, client.maxRetries, error]
    },
  },
  {
    name: 'withOptions() with another key, another token, another address',
    replies: [good, good, good],
    async run({ client, stage }) {
      await client.withOptions({ apiKey: 'sk-ant-other' }).messages.create(hello)
      await client.withOptions({ authToken: 'oat-other' }).messages.create(hello)
      await client.withOptions({ baseURL: `${stage.url}/other` }).messages.create(hello)
    },
  },
  {
    name: 'a fetch of its own',
    replies: [good],
    options: {
      fetch: (url, init) =>
        fetch(url, {
          ...init,
          headers: { ...Object.fromEntries(new Headers(init?.headers as HeadersInit)), 'x-fetched': '1' },
        }),
    },
    run: ask,
  },
  {
    name: 'a fetch that fails',
    options: { maxRetries: 0, fetch: () => Promise.reject(new TypeError('no network')) },
    async run({ client, Anthropic }) {
      const error = await client.messages.create(hello).catch((error: unknown) => error)
      return [error instanceof Anthropic.APIConnectionError, (error as Error).cause]
    },
  },
  {
    name: 'a fetch with a time limit of its own',
    options: {
      maxRetries: 0,
      fetch: () => Promise.reject(new DOMException('The operation timed out', 'TimeoutError')),
    },
    run: ask,
    differs: [
      {
        name: 'own-errors',
        at: 'threw',
        official: { name: 'APIConnectionTimeoutError' },
        ours: { name: 'APIConnectionError' },
      },
    ],
  },
  {
    name: 'a fetch that returns a response by itself',
    options: { fetch: async () => Response.json(message(), { headers: { 'request-id': 'req_own' } }) },
    run: ({ client }) => client.messages.create(hello),
  },
  {
    name: 'fetch options reach the fetch',
    options: {
      fetchOptions: { redirect: 'error' },
      fetch: async (_url, init) => Response.json({ id: init?.redirect }),
    },
    run: ask,
  },
  {
    name: 'middleware sees each attempt and may change it',
    replies: [failure(529, 'overloaded_error', 'Overloaded', { headers: { 'retry-after-ms': '1' } }), good],
    options: {
      middleware: [
        async (request, next) => {
          const headers = new Headers(request.headers)
          headers.set('x-middle', headers.get('x-stainless-retry-count') ?? '')
          return next({ ...request, headers })
        },
      ],
    },
    run: ask,
  },
  {
    name: 'an idempotency key does nothing',
    replies: [good],
    run: ({ client }) => client.messages.create(hello, { idempotencyKey: 'key-1' }),
  },
  {
    name: 'a debug log never contains a key',
    replies: [failure(529, 'overloaded_error', 'Overloaded', { headers: { 'retry-after-ms': '1' } }), good],
    async run({ client }) {
      const lines: unknown[] = []
      const write = (...line: unknown[]): number => lines.push(line)
      const logger = { error: write, warn: write, info: write, debug: write }
      const talkative = client.withOptions({ logger, logLevel: 'debug', defaultHeaders: { cookie: 'crumbs' } })
      await talkative.messages.create(hello)
      const text = inspect(lines, { depth: 9 })
      return [lines.length > 0, text.includes('sk-ant'), text.includes('crumbs')]
    },
  },
  {
    name: 'the default log is empty without errors',
    replies: [good],
    async run({ client, Anthropic }) {
      const lines: unknown[] = []
      const write = (...line: unknown[]): number => lines.push(line)
      const logger = { error: write, warn: write, info: write, debug: write }
      const quiet = new Anthropic({ apiKey: 'sk-ant-test', baseURL: client.baseURL, logger })
      await quiet.messages.create(hello)
      return lines
    },
  },
  {
    name: 'a body of text',
    replies: [good, good],
    async run({ client }) {
      await client.post('/v1/messages', { body: '{"own":true}', headers: { 'content-type': 'application/json' } })
      await client.post('/v1/messages', { body: '{"own":true}' })
    },
    differs: [{ name: 'text-bodies', at: 'requests.1.body', official: '{"own":true}', ours: { own: true } }],
  },
  {
    name: 'requests of other kinds by hand',
    replies: [json({ a: 1 }), json({ b: 2 }), { status: 204 }],
    run: async ({ client }) => [
      await client.get('/v1/anything', { query: { x: 1 } }),
      await client.post('/v1/anything', { body: { y: 2 } }),
      await client.delete('/v1/anything'),
    ],
  },
]

function given(name: string, options: NonNullable<Scenario['options']>, differs: readonly Difference[] = []): Scenario {
  return { name, replies: [good], options, run: ask, differs }
}

/** Tries to create a client while these globals exist: by default, with permission, and with the client option. */
function refusesToRun(where: string, globals: object, differs: readonly Difference[] = []): Scenario {
  return {
    name: `whether it refuses to run ${where}`,
    run({ Anthropic, client }) {
      const options = { apiKey: 'sk-ant-test', logLevel: 'off' } as const
      const make = [
        () => new Anthropic(options),
        () => client.withOptions({ maxRetries: 0 }),
        () => new Anthropic({ ...options, dangerouslyAllowBrowser: true }),
        () => client.withOptions({ dangerouslyAllowBrowser: true }).withOptions({ maxRetries: 0 }),
      ]
      return withGlobals(globals, () => make.map(madeOr))
    },
    differs,
  }
}

function madeOr(make: () => unknown): unknown {
  try {
    make()
    return 'made'
  } catch (error) {
    return error
  }
}

/** Sets globals during a synchronous call, so that no other code sees them. */
function withGlobals<T>(globals: object, run: () => T): T {
  const before = new Map(
    Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const),
  )
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true })
  }
  try {
    return run()
  } finally {
    for (const [name, property] of before) {
      if (property === undefined) Reflect.deleteProperty(globalThis, name)
      else Object.defineProperty(globalThis, name, property)
    }
  }
}

function variables(name: string, env: Record<string, string>, options: ClientOptions | 'own' = {}): Scenario {
  return {
    name: `the environment: ${name}`,
    replies: [good],
    env,
    options: options === 'own' ? ({ url }) => ({ baseURL: url }) : options,
    run: ask,
  }
}

/** An address that is certainly wrong is an error when the client is created, not a 404 later. */
function refused(path: string): readonly Difference[] {
  return [
    { name: 'base-urls', at: 'returned', official: 'msg_01XFDUDYJgAACzvnptvVoYEL' },
    { name: 'base-urls', at: 'requests.0', official: { path } },
    { name: 'base-urls', at: 'threw', ours: { classes: 'AnthropicError < Error' } },
  ]
}

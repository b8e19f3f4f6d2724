import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { Anthropic } from './client.ts'
import { faultServer, hello, helloEvents, params, type SeenRequest } from './request/fault-server.test.ts'
import type { ClientOptions } from './options.ts'
import type { RequestOptions } from './request/options.ts'
import { version } from './request/request.ts'

/** Sets environment variables for one test; undefined takes one away. */
function withEnvironment(t: TestContext, variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name]
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
    t.after(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
}

const silent = { error() {}, warn() {}, info() {}, debug() {} }

const bare = { ANTHROPIC_API_KEY: undefined, ANTHROPIC_AUTH_TOKEN: undefined, ANTHROPIC_BASE_URL: undefined }

/** The request that a call makes. */
async function seen(
  t: TestContext,
  options: ClientOptions,
  call: RequestOptions = {},
  body = params,
): Promise<SeenRequest> {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  await new Anthropic({ baseURL: server.url, ...options }).messages.create(body, call)
  return server.requests[0]!
}

// Credentials

test('an API key is sent as x-api-key, a token as a bearer token', async (t) => {
  withEnvironment(t, bare)
  assert.equal((await seen(t, { apiKey: 'key' })).headers['x-api-key'], 'key')
  const { headers } = await seen(t, { authToken: 'token' })
  assert.equal(headers['authorization'], 'Bearer token')
  assert.equal(headers['x-api-key'], undefined)
})

test('the key, the token and the base URL default to the environment', async (t) => {
  withEnvironment(t, { ...bare, ANTHROPIC_API_KEY: ' env-key\n', ANTHROPIC_AUTH_TOKEN: 'env-token' })
  assert.equal((await seen(t, {})).headers['x-api-key'], 'env-key')
  assert.equal((await seen(t, { apiKey: null })).headers['authorization'], 'Bearer env-token')
  const passed = await seen(t, { authToken: 'mine' })
  assert.equal(passed.headers['authorization'], 'Bearer mine')
  assert.equal(passed.headers['x-api-key'], undefined)
  withEnvironment(t, { ANTHROPIC_BASE_URL: 'http://elsewhere.test/' })
  assert.equal(new Anthropic().baseURL, 'http://elsewhere.test/')
})

const urls: [baseURL: string, path: string, url: string][] = [
  ['http://a.test', '/v1/x', 'http://a.test/v1/x'],
  ['http://a.test/', '/v1/x', 'http://a.test/v1/x'],
  ['http://a.test//', '/v1/x', 'http://a.test/v1/x'],
  ['http://a.test/gate', '/v1/x', 'http://a.test/gate/v1/x'],
  ['http://a.test/gate/', '/v1/x?b=1', 'http://a.test/gate/v1/x?b=1'],
  ['http://a.test', 'v1/x', 'http://a.test/v1/x'],
  // Not a URL on the host `a.test.evil.test` or `evil.test`.
  ['http://a.test', '.evil.test/x', 'http://a.test/.evil.test/x'],
  ['http://a.test', '@evil.test/x', 'http://a.test/@evil.test/x'],
  ['http://a.test', ':81/x', 'http://a.test/:81/x'],
  ['http://a.test', '//evil.test/x', 'http://a.test//evil.test/x'],
]

for (const [baseURL, path, url] of urls) {
  test(`a request to ${path} under ${baseURL} goes to ${url}`, async () => {
    const sent: string[] = []
    const fetch = async (to: string): Promise<Response> => Response.json({ sent: sent.push(to) })
    await new Anthropic({ apiKey: 'key', baseURL, fetch }).get(path)
    const changed = new Anthropic({ apiKey: 'key', baseURL: 'http://b.test', fetch })
    changed.baseURL = baseURL
    await changed.withOptions({ maxRetries: 1 }).get(path)
    assert.deepEqual(sent, [url, url])
  })
}

test('a base URL that is set after the construction is kept by copies', (t) => {
  withEnvironment(t, { ANTHROPIC_BASE_URL: '' })
  const client = new Anthropic({ apiKey: 'key' })
  assert.equal(client.withOptions({}).baseURL, 'https://api.anthropic.com')
  client.baseURL = 'http://a.test/'
  assert.equal(client.withOptions({ maxRetries: 1 }).baseURL, 'http://a.test/')
  assert.equal(client.withOptions({ baseURL: 'http://b.test/' }).baseURL, 'http://b.test/')
})

test('defaultBaseURL is for clients without a base URL of their own', async (t) => {
  withEnvironment(t, { ANTHROPIC_BASE_URL: '' })
  const fetch = async (url: string): Promise<Response> => Response.json({ url })
  const options = { defaultBaseURL: 'http://a.test/gate' }
  const urlOf = async (client: Anthropic): Promise<unknown> => client.get('/v1/x', options)
  assert.deepEqual(await urlOf(new Anthropic({ apiKey: 'key', fetch })), { url: 'http://a.test/gate/v1/x' })
  const own = new Anthropic({ apiKey: 'key', fetch, baseURL: 'http://b.test' })
  assert.deepEqual(await urlOf(own), { url: 'http://b.test/v1/x' })
  withEnvironment(t, { ANTHROPIC_BASE_URL: 'http://c.test' })
  assert.deepEqual(await urlOf(new Anthropic({ apiKey: 'key', fetch })), { url: 'http://c.test/v1/x' })
})

test('apiKey() is called before every request', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.json(529, {}, { 'retry-after-ms': '1' }),
    (answer) => answer.json(200, hello),
  )
  let count = 0
  const client = new Anthropic({ baseURL: server.url, apiKey: async () => `key-${++count}` })
  await client.messages.create(params)
  assert.deepEqual(
    server.requests.map(({ headers }) => headers['x-api-key']),
    ['key-1', 'key-2'],
  )
})

test('apiKey() that fails or returns no key is one error', async (t) => {
  const server = await faultServer(t, () => {})
  const broken = new Error('vault is shut')
  const failing = new Anthropic({ baseURL: server.url, apiKey: () => Promise.reject(broken) })
  await assert.rejects(failing.messages.create(params), {
    message: 'Cannot get the API key: vault is shut',
    cause: broken,
  })
  const empty = new Anthropic({ baseURL: server.url, apiKey: async () => '' })
  await assert.rejects(empty.messages.create(params), /empty string/)
  assert.equal(server.requests.length, 0)
})

test('a missing key is one error, when a request is made', async (t) => {
  withEnvironment(t, bare)
  const client = new Anthropic({ baseURL: 'http://127.0.0.1:1' })
  await assert.rejects(client.messages.create(params), (error: Error) => {
    assert.ok(error instanceof Anthropic.AnthropicError)
    assert.match(error.message, /ANTHROPIC_API_KEY/)
    return true
  })
  const stream = client.messages.stream(params)
  await assert.rejects(stream.finalMessage(), /ANTHROPIC_API_KEY/)
})

test('headers of the caller replace or remove the key', async (t) => {
  withEnvironment(t, bare)
  const { headers } = await seen(t, { defaultHeaders: { 'X-Api-Key': 'other' } })
  assert.equal(headers['x-api-key'], 'other')
  assert.equal((await seen(t, { apiKey: 'key' }, { headers: { 'x-api-key': null } })).headers['x-api-key'], undefined)
})

test('both apiKey and authToken are a TypeError', () => {
  assert.throws(() => new Anthropic({ apiKey: 'a', authToken: 'b' }), TypeError)
})

// Headers

test('headers of the request replace those of the client, and null removes one', async (t) => {
  withEnvironment(t, { ANTHROPIC_CUSTOM_HEADERS: 'X-From-Env: 1\nX-Both: env\nnonsense' })
  const { headers } = await seen(
    t,
    { apiKey: 'key', defaultHeaders: { 'X-Both': 'client', 'X-Gone': 'client', 'User-Agent': 'mine' } },
    {
      headers: [
        ['X-Both', 'call'],
        ['x-gone', null],
      ],
    },
  )
  assert.equal(headers['x-from-env'], '1')
  assert.equal(headers['x-both'], 'call')
  assert.equal(headers['x-gone'], undefined)
  assert.equal(headers['user-agent'], 'mine')
  const plain = await seen(t, { apiKey: 'key', defaultHeaders: new Headers({ 'x-web': 'yes' }) })
  assert.equal(plain.headers['x-web'], 'yes')
  assert.equal(plain.headers['user-agent'], `colloquy/${version}`)
})

for (const field of ['temperature', 'top_p', 'top_k'] as const) {
  test(`a request with ${field} is sent as 2023-06-01, any other as 2026-10-21`, async (t) => {
    const { headers } = await seen(t, { apiKey: 'key' }, {}, { ...params, [field]: 1 })
    assert.equal(headers['anthropic-version'], '2023-06-01')
    const without = await seen(t, { apiKey: 'key' }, {}, { ...params, [field]: undefined })
    assert.equal(without.headers['anthropic-version'], '2026-10-21')
    const asked = await seen(
      t,
      { apiKey: 'key', defaultHeaders: { 'anthropic-version': '2023-01-01' } },
      {},
      { ...params, [field]: 1 },
    )
    assert.equal(asked.headers['anthropic-version'], '2023-01-01')
  })
}

test('betas, the workspace and the user profile are sent as headers only', async (t) => {
  const body = { ...params, betas: ['a'], workspace_id: 'wrkspc_1', user_profile_id: 'profile' }
  const { headers, body: sent } = await seen(t, { apiKey: 'key' }, { betas: ['b'] }, body)
  assert.equal(headers['anthropic-beta'], 'a,b')
  assert.equal(headers['anthropic-workspace-id'], 'wrkspc_1')
  assert.equal(headers['anthropic-user-profile-id'], 'profile')
  assert.deepEqual(JSON.parse(sent), params)
})

test('a header is trimmed, and a character it cannot hold is an error without value', async (t) => {
  assert.equal((await seen(t, { apiKey: 'key\n' })).headers['x-api-key'], 'key')
  const server = await faultServer(t, () => {})
  await assert.rejects(server.client({ apiKey: 'sec\nret' }).messages.create(params), {
    name: 'AnthropicError',
    message: 'Cannot send the header x-api-key: a header cannot hold its name or value',
  })
  assert.equal(server.requests.length, 0)
})

// Options

test('withOptions() keeps the other options', async (t) => {
  withEnvironment(t, bare)
  const client = new Anthropic({ apiKey: 'key', baseURL: 'http://a.test', maxRetries: 5, defaultHeaders: { a: '1' } })
  const other = client.withOptions({ baseURL: 'http://b.test', timeout: 7 })
  assert.equal(other.baseURL, 'http://b.test')
  assert.equal(other.apiKey, 'key')
  assert.equal(other.maxRetries, 5)
  assert.equal(other.timeout, 7)
  assert.equal(client.baseURL, 'http://a.test')
  assert.equal(client.timeout, 600_000)
  const third = client.withOptions({ authToken: 'token' })
  assert.equal(third.apiKey, null)
  assert.equal(third.authToken, 'token')
  assert.ok(other instanceof Anthropic)
})

test('the queries of the client and of the request are both sent', async (t) => {
  const { path } = await seen(
    t,
    { apiKey: 'key', defaultQuery: { a: '1', b: '2' } },
    { query: { b: '3', list: ['x', 'y'], of: { c: true } } },
  )
  assert.equal(decodeURIComponent(path), '/v1/messages?a=1&b=3&list[]=x&list[]=y&of[c]=true')
})

const misuses: [ClientOptions, RegExp][] = [
  [{ apikey: 'key' } as ClientOptions, /client option apikey: did you mean apiKey\?/],
  [{ base_url: 'http://a.test' } as ClientOptions, /did you mean baseURL\?/],
  [{ maxRetrys: 1 } as ClientOptions, /did you mean maxRetries\?/],
  [{ colour: 'red' } as ClientOptions, /client option colour: the options are timeout, /],
  [{ webhookKey: 'x' } as ClientOptions, /webhookKey: the options are timeout/],
  [{ maxRetries: 1.5 }, /maxRetries as it must be a whole number from 0: found number 1.5/],
  [{ timeout: -1 }, /timeout as it must be a number of milliseconds from 0: found number -1/],
  [{ timeout: '10' as unknown as number }, /found string 10/],
  [{ baseURL: 'api.anthropic.com' }, /base URL api.anthropic.com as it must be an http or https URL/],
  [{ baseURL: 'https://a.test/v1' }, /base URL https:\/\/a.test\/v1 as it must be .* without .* final \/v1/],
  [{ baseURL: 'https://a.test/?x=1' }, /base URL https:\/\/a.test\/… as it must be .* without .* query/],
]

for (const [options, message] of misuses) {
  test(`new Anthropic(${JSON.stringify(options)}) says what is wrong`, () => {
    assert.throws(
      () => new Anthropic({ ...options }),
      (error: Error) => {
        assert.ok(error instanceof Anthropic.AnthropicError)
        assert.match(error.message, message)
        return true
      },
    )
  })
}

test('a password in the base URL is refused and not shown', () => {
  assert.throws(
    () => new Anthropic({ baseURL: 'https://me:hunter2@a.test' }),
    (error: Error) => {
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    },
  )
})

test('a misspelt request option is an error that names the right one', async () => {
  const client = new Anthropic({ apiKey: 'key', baseURL: 'http://127.0.0.1:1' })
  await assert.rejects(
    client.messages.create(params, { header: {} } as RequestOptions),
    /request option header: did you mean headers\?/,
  )
  await assert.rejects(client.messages.create(params, { maxretries: 1 } as RequestOptions), /did you mean maxRetries\?/)
})

test('a value that JSON cannot hold is an error that names its place', async (t) => {
  const server = await faultServer(t, () => {})
  const client = server.client()
  const big = { ...params, messages: [{ role: 'user', content: [{ type: 'text', text: 1n }] }] }
  await assert.rejects(client.messages.create(big as never), {
    message: 'Cannot encode the request body as JSON: messages.0.content.0.text is the bigint 1',
  })
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  await assert.rejects(
    client.messages.create({ ...params, metadata: cyclic as object }),
    /metadata\.self refers back to an object that contains it/,
  )
  assert.equal(server.requests.length, 0)
})

test('the client refuses to run in a browser without dangerouslyAllowBrowser', (t) => {
  const web = globalThis as { window?: unknown }
  web.window = { document: {} }
  t.after(() => delete web.window)
  assert.throws(() => new Anthropic({ apiKey: 'key' }), /dangerouslyAllowBrowser/)
  assert.ok(new Anthropic({ apiKey: 'key', dangerouslyAllowBrowser: true }))
})

test('the client tells the API that it runs in a browser', async (t) => {
  const { headers } = await seen(t, { apiKey: 'key', dangerouslyAllowBrowser: true })
  assert.equal(headers['anthropic-dangerous-direct-browser-access'], 'true')
  const elsewhere = await seen(t, { apiKey: 'key' })
  assert.equal(elsewhere.headers['anthropic-dangerous-direct-browser-access'], undefined)
})

test('an id in a path cannot lead to another path', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, { id: 'x' }))
  const client = server.client()
  await client.models.retrieve('a/../b?c')
  assert.equal(server.requests[0]!.path, '/v1/models/a%2F..%2Fb%3Fc')
  assert.throws(() => client.models.retrieve('..'), /without an id/)
  assert.throws(() => client.models.retrieve(''), /without an id/)
})

// Logs

test('the log names requests and retries, and shows no key', async (t) => {
  const lines: string[] = []
  const write = (...parts: unknown[]): void => void lines.push(JSON.stringify(parts))
  const logger = { error: write, warn: write, info: write, debug: write }
  const server = await faultServer(
    t,
    (answer) => answer.json(529, {}, { 'retry-after-ms': '1' }),
    (answer) => answer.json(200, hello),
  )
  await server.client({ apiKey: 'secret-key', logger, logLevel: 'debug' }).messages.create(params)
  const all = lines.join('\n')
  assert.doesNotMatch(all, /secret-key/)
  assert.match(all, /x-api-key":"\*\*\*/)
  assert.match(all, /529 in \d+ ms/)
  assert.match(all, /retry 1 of 2/)
  lines.length = 0
  await server.client({ logger }).messages.create(params)
  assert.deepEqual(lines, [])
})

test('the log masks secret headers and query parameters of any gateway', async (t) => {
  const names = ['Authorization', 'Cookie', 'x-gateway-token', 'ocp-apim-subscription-key', 'x-client-secret']
  const defaultQuery = { 'api-key': 'hidden-1', accessToken: 'hidden-2&3', tier: 'shown' }
  const lines: string[] = []
  const write = (...parts: unknown[]): void => void lines.push(JSON.stringify(parts))
  const logger = { error: write, warn: write, info: write, debug: write }
  const server = await faultServer(t, (answer) => answer.json(401, { type: 'error', error: { type: 'no' } }))
  const defaultHeaders = Object.fromEntries(names.map((name) => [name, `hidden-${name}`]))
  const error = await server
    .client({ defaultHeaders, defaultQuery, logger, logLevel: 'debug' })
    .messages.create(params)
    .catch((error: unknown) => error)
  const { headers, path } = server.requests[0]!
  assert.match(path, /hidden-1.*hidden-2/)
  assert.match(lines.join('\n'), /api-key=\*\*\*&accessToken=\*\*\*&tier=shown/)
  for (const name of names) assert.equal(headers[name.toLowerCase()], `hidden-${name}`)
  assert.ok(error instanceof Anthropic.AuthenticationError)
  assert.match(lines.join('\n'), /x-client-secret":"\*\*\*/)
  assert.doesNotMatch(lines.join('\n') + inspect(error, { depth: 9 }), /hidden-/)
})

test('logLevel that is unknown is a warning, and is warn', () => {
  const warnings: string[] = []
  const warn = (text: string): void => void warnings.push(text)
  const logger = { ...console, warn }
  assert.equal(new Anthropic({ apiKey: 'key', logger, logLevel: 'loud' as 'off' }).logLevel, 'warn')
  assert.deepEqual(warnings, ['logLevel was set to "loud", expected one of ["off","error","warn","info","debug"]'])
})

test('a logger without a method writes nothing at its level', async () => {
  const logger = { error: () => {} } as unknown as typeof console
  const client = new Anthropic({ apiKey: 'key', logger, logLevel: 'debug', fetch: async () => Response.json(hello) })
  assert.deepEqual(await client.messages.create(params), hello)
})

test('withOptions() without options is a copy', () => {
  assert.equal(new Anthropic({ apiKey: 'key', maxRetries: 7 }).withOptions().maxRetries, 7)
})

for (const path of [undefined, null, 0, true, ['/v1']]) {
  test(`get() of the path ${String(path)} is one clear error`, async () => {
    const client = new Anthropic({ apiKey: 'key', fetch: async () => Response.json(hello) })
    await assert.rejects(Promise.resolve(client.get(path as unknown as string)), {
      name: 'AnthropicError',
      message: 'Cannot use path as it must be text',
    })
  })
}

test('get() returns a body that is not said to be JSON as text', async () => {
  const clientOf = (body: string, type: string): Anthropic => {
    const fetch = async (): Promise<Response> => new Response(body, { headers: { 'content-type': type } })
    return new Anthropic({ apiKey: 'key', fetch, maxRetries: 0 })
  }
  assert.equal(await clientOf('hello', 'text/plain').get('/v1/x'), 'hello')
  assert.equal(await clientOf('{"a":1}', 'text/plain').get('/v1/x'), '{"a":1}')
  await assert.rejects(Promise.resolve(clientOf('hello', 'application/problem+json').get('/v1/x')), {
    name: 'APIResponseError',
    message: /^200 Cannot read the response as JSON: found 5 characters of application.problem.json: hello$/,
  })
})

for (const [query, found] of [
  ['limit=1', '"limit=1"'],
  [5, '5'],
  [true, 'true'],
] as const) {
  test(`the query ${query} is one clear error`, async () => {
    const client = new Anthropic({ apiKey: 'key', fetch: async () => Response.json(hello) })
    const options = { query: query as unknown as Record<string, unknown> }
    await assert.rejects(Promise.resolve(client.get('/v1/models', options)), {
      name: 'AnthropicError',
      message: `Cannot use a query as it must be an object: found ${found}`,
    })
  })
}

test('ANTHROPIC_LOG sets the level, and an unknown level is a warning', (t) => {
  withEnvironment(t, { ANTHROPIC_LOG: 'debug' })
  assert.equal(new Anthropic({ apiKey: 'key' }).logLevel, 'debug')
  process.env['ANTHROPIC_LOG'] = 'loud'
  const warnings: unknown[] = []
  const logger = { ...console, warn: (message: string) => void warnings.push(message) }
  assert.equal(new Anthropic({ apiKey: 'key', logger }).logLevel, 'warn')
  assert.match(
    String(warnings),
    /'ANTHROPIC_LOG'\] was set to "loud", expected one of \["off","error","warn","info","debug"\]/,
  )
})

test('a lone surrogate is sent as U+FFFD, which the API accepts', async (t) => {
  const { body } = await seen(
    t,
    { apiKey: 'key' },
    {},
    {
      ...params,
      metadata: { user_id: 'Hello \ud83d 🙂' },
    },
  )
  assert.match(body, /"Hello \ufffd 🙂"/)
})

test('loneSurrogates: refuse is an error that names the place', async (t) => {
  const client = new Anthropic({ apiKey: 'key', baseURL: 'http://127.0.0.1:1', loneSurrogates: 'refuse' })
  const content = [{ type: 'text' as const, text: 'Hello \ud83d' }]
  await assert.rejects(client.messages.create({ ...params, messages: [{ role: 'user', content }] }), {
    name: 'AnthropicError',
    message: 'Cannot send messages.0.content.0.text: it has half of a surrogate pair',
  })
  const { body } = await seen(
    t,
    { apiKey: 'key', loneSurrogates: 'refuse' },
    { loneSurrogates: 'replace' },
    { ...params, model: 'm\ud83d' },
  )
  assert.match(body, /"m\ufffd"/)
  const whole = await seen(t, { apiKey: 'key', loneSurrogates: 'refuse' }, {}, { ...params, model: '🙂' })
  assert.match(whole.body, /"🙂"/)
})

// Keys

/** The request that arrives at another host, whose URL the client is asked for. */
async function seenElsewhere(t: TestContext, options: ClientOptions, call: RequestOptions = {}): Promise<SeenRequest> {
  const other = await faultServer(t, (answer) => answer.json(200, hello))
  await new Anthropic({ baseURL: 'http://127.0.0.1:1', ...options }).get(`${other.url}/x`, call)
  return other.requests[0]!
}

test('a request to another host carries no key and no header of the client', async (t) => {
  withEnvironment(t, { ...bare, ANTHROPIC_CUSTOM_HEADERS: 'x-custom: secret' })
  const defaultHeaders = { 'x-default': 'secret', cookie: 'secret' }
  for (const credentials of [{ apiKey: 'secret' }, { authToken: 'secret' }, { apiKey: () => 'secret' }]) {
    const { headers } = await seenElsewhere(t, { ...credentials, defaultHeaders }, { headers: { 'x-own': 'yes' } })
    assert.doesNotMatch(JSON.stringify(headers), /secret/)
    assert.equal(headers['x-own'], 'yes')
  }
})

test('a request to another host carries the key that the caller gives it', async (t) => {
  const { headers } = await seenElsewhere(t, { apiKey: 'secret' }, { headers: { 'x-api-key': 'other' } })
  assert.equal(headers['x-api-key'], 'other')
})

test('an absolute URL on the host of the client carries the key', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, hello))
  await server.client().get(`${server.url}/x`)
  assert.equal(server.requests[0]!.headers['x-api-key'], 'key')
})

for (const credentials of [{ apiKey: 'sk-secret' }, { authToken: 'sk-secret' }]) {
  test(`a printed client shows no ${Object.keys(credentials)[0]}`, async () => {
    const client = new Anthropic({ ...credentials, baseURL: 'http://127.0.0.1:1', maxRetries: 0, logger: silent })
    const error = await client.messages.create(params).catch((error: unknown) => error)
    const copy = client.withOptions({ maxRetries: 1 })
    for (const value of [client, copy, client.messages, client.beta, error, { ...client }]) {
      assert.doesNotMatch(inspect(value, { depth: 10 }), /sk-secret/)
      assert.doesNotMatch(JSON.stringify(value), /sk-secret/)
      assert.doesNotMatch(String(value), /sk-secret/)
    }
    assert.deepEqual(
      { ...credentials },
      Object.fromEntries(Object.keys(credentials).map((name) => [name, client[name as 'apiKey']])),
    )
  })
}

// Options of another kind

for (const value of [' ', {}, 1, true, [1], [null], Symbol('s')]) {
  const name = typeof value === 'symbol' ? 'a symbol' : JSON.stringify(value)
  test(`${name} for an option of functions is one clear error`, async () => {
    const fault = (option: string): object => ({
      name: 'AnthropicError',
      message: new RegExp(`^Cannot use ${option} as it must be`),
    })
    assert.throws(() => new Anthropic({ middleware: value } as never), fault('middleware'))
    assert.throws(() => new Anthropic({ fetch: value } as never), fault('fetch'))
    const client = new Anthropic({ apiKey: 'key', baseURL: 'http://127.0.0.1:1' })
    await assert.rejects(client.messages.create(params, { middleware: value } as never), fault('middleware'))
    await assert.rejects(client.messages.create(params, { signal: value } as never), fault('signal'))
    await assert.rejects(client.messages.stream(params, { signal: value } as never).finalMessage(), fault('signal'))
  })
}

const proxies: [proxy: string, found: RegExp][] = [
  ['socks5://127.0.0.1:1080', /found socks5:\/\/127.0.0.1:1080$/],
  ['ftp://a.test', /found ftp:\/\/a.test$/],
  ['socks5://me:hunter2@a.test', /found socks5:\/\/\*\*\*@a.test$/],
  ['http://', /found http:\/\/$/],
  ['http://a b', /found http:\/\/a b$/],
]

for (const [proxy, found] of proxies) {
  test(`the proxy ${proxy} is an error when the client is created`, () => {
    assert.throws(() => new Anthropic({ apiKey: 'key', proxy }), { name: 'AnthropicError', message: found })
  })
}

// Copies of a client

const copies: [name: string, options: ClientOptions, sent: Record<string, string | undefined>][] = [
  ['nothing', {}, { 'x-api-key': 'own', 'x-default': '1' }],
  [
    'undefined',
    {
      apiKey: undefined,
      authToken: undefined,
      baseURL: undefined,
      fetch: undefined,
      timeout: undefined,
      maxRetries: undefined,
      defaultHeaders: undefined,
    },
    { 'x-api-key': 'own', 'x-default': '1' },
  ],
  ['no token', { authToken: null }, { 'x-api-key': 'own' }],
  ['another key', { apiKey: 'other' }, { 'x-api-key': 'other' }],
  ['a token', { authToken: 'other' }, { authorization: 'Bearer other', 'x-api-key': undefined }],
  ['other headers', { defaultHeaders: { 'x-b': '2' } }, { 'x-b': '2', 'x-default': undefined }],
  ['empty headers', { defaultHeaders: {} }, { 'x-default': undefined }],
]

for (const [name, options, sent] of copies) {
  test(`withOptions() with ${name} keeps the rest of its client`, async (t) => {
    withEnvironment(t, { ...bare, ANTHROPIC_API_KEY: 'key of the environment' })
    const server = await faultServer(t, (answer) => answer.json(200, hello))
    const client = new Anthropic({ apiKey: 'own', baseURL: server.url, defaultHeaders: { 'x-default': '1' } })
    await client.withOptions(options).messages.create(params)
    const { headers } = server.requests[0]!
    assert.deepEqual(Object.fromEntries(Object.keys(sent).map((header) => [header, headers[header]])), sent)
  })
}

test('withOptions() copies what was set on the client', () => {
  const client = new Anthropic({ apiKey: 'key' })
  assert.equal(client.withOptions({}).givenTimeout, undefined)
  Object.assign(client, { timeout: 1234, maxRetries: 9, baseURL: 'http://a.test', apiKey: 'other' })
  const copy = client.withOptions({})
  assert.deepEqual([copy.timeout, copy.maxRetries, copy.apiKey], [1234, 9, 'other'])
  assert.equal(copy.givenTimeout, 1234)
})

test('null for a timeout or a number of retries is the default', () => {
  const client = new Anthropic({ apiKey: 'key', timeout: null, maxRetries: null, fetch: null } as never)
  assert.deepEqual([client.timeout, client.maxRetries], [600_000, 2])
})

test('null for all options of a request is the same as none', async (t) => {
  const server = await faultServer(t, (answer) =>
    answer.request.body.includes('"stream":true')
      ? answer
          .stream()
          .send(...helloEvents)
          .end()
      : answer.json(200, hello),
  )
  const client = server.client()
  assert.deepEqual(await client.messages.create(params, null as never), hello)
  assert.deepEqual(await client.messages.create(params, { timeout: null } as never), hello)
  assert.equal((await client.messages.stream(params, null).finalMessage()).id, hello.id)
  assert.deepEqual(await client.models.retrieve('m', null, null), hello)
})

test('method and body replace those of a method, stream does not', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, { ...hello, data: [], has_more: false }))
  const client = server.client()
  await client.messages.create(params, { method: 'put', body: { own: true }, stream: true })
  await client.messages.create(params, { body: '{"as it":"is"}' })
  await client.messages.countTokens(params, { body: { own: 1 } })
  await client.messages.create(params, { method: undefined, body: undefined })
  assert.deepEqual(
    server.requests.map(({ method, body }) => [method, JSON.parse(body)]),
    [
      ['PUT', { own: true }],
      ['POST', { 'as it': 'is' }],
      ['POST', { own: 1 }],
      ['POST', params],
    ],
  )
})

test('path replaces the path of a method', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, { ...hello, data: [], has_more: false }))
  const client = server.client()
  await client.messages.create(params, { path: '/a' })
  await client.messages.countTokens(params, { path: '/b' })
  await client.models.list({}, { path: '/c' })
  await client.models.retrieve('m', {}, { path: '/d' })
  await client.messages.batches.retrieve('b', {}, { path: '/e' })
  await client.messages.create(params, { path: undefined })
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ['/a', '/b', '/c', '/d', '/e', '/v1/messages'],
  )
})

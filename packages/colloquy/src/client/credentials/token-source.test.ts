import assert from 'node:assert/strict'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Anthropic } from '../client.ts'
import { type Answer, faultServer, hello, params } from '../request/fault-server.test.ts'
import type { AccessToken } from './access-token.ts'
import { TokenSource, tokenSource } from './token-source.ts'

const context = {
  baseURL: 'http://127.0.0.1:1',
  userAgent: 'test',
  send: () => assert.fail('nothing is sent'),
  log: () => undefined,
}
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

/** A provider that counts its tokens, the first with the given time left. */
function counting(secondsLeft: number | null) {
  const calls: unknown[] = []
  const provider = async (options?: { forceRefresh?: boolean }): Promise<AccessToken> => {
    calls.push(options)
    const expiresAt = secondsLeft === null ? null : inSeconds(calls.length === 1 ? secondsLeft : 3600)
    return { token: `t${calls.length}`, expiresAt }
  }
  return { calls, source: new TokenSource(provider, undefined, context) }
}

const tokenOf = async (source: TokenSource): Promise<string> => (await source.headers({}))['authorization']!.slice(7)

test('a token is requested once while it is fresh, also by requests at once', async () => {
  const { calls, source } = counting(3600)
  assert.deepEqual(await Promise.all([tokenOf(source), tokenOf(source)]), ['t1', 't1'])
  assert.equal(await tokenOf(source), 't1')
  assert.deepEqual(calls, [undefined])
})

test('a token without an end is kept', async () => {
  const { calls, source } = counting(null)
  for (let i = 0; i < 3; i++) assert.equal(await tokenOf(source), 't1')
  assert.equal(calls.length, 1)
})

test('a token that expires within 30 seconds is replaced before it is used', async () => {
  const { source } = counting(20)
  await tokenOf(source)
  assert.equal(await tokenOf(source), 't2')
})

test('a token that expires within two minutes is used while it is replaced', async () => {
  const { calls, source } = counting(90)
  await tokenOf(source)
  assert.deepEqual([await tokenOf(source), calls.length], ['t1', 2])
  await new Promise(setImmediate)
  assert.equal(await tokenOf(source), 't2')
})

test('a replacement in the background that fails keeps the token and pauses', async () => {
  let calls = 0
  const provider = async (): Promise<AccessToken> => {
    if (++calls > 1) throw new Error('endpoint is down')
    return { token: 't1', expiresAt: inSeconds(90) }
  }
  const source = new TokenSource(provider, undefined, context)
  for (let i = 0; i < 5; i++) {
    assert.equal(await tokenOf(source), 't1')
    await new Promise(setImmediate)
  }
  assert.equal(calls, 2)
})

test('a token that the API refused is replaced with forceRefresh, and a failure does not last', async () => {
  const answers: Array<() => Promise<AccessToken>> = [
    async () => ({ token: 'a', expiresAt: null }),
    () => Promise.reject(new Error('down')),
    async () => ({ token: 'b', expiresAt: null }),
  ]
  const calls: unknown[] = []
  const source = new TokenSource((options) => (calls.push(options), answers.shift()!()), undefined, context)
  await tokenOf(source)
  source.invalidate()
  await assert.rejects(tokenOf(source), /down/)
  assert.equal(await tokenOf(source), 'b')
  assert.deepEqual(calls, [undefined, { forceRefresh: true }, undefined])
})

test('a provider that returns no token is an error', async () => {
  for (const returned of [undefined, {}, { token: '' }, { token: 5 }]) {
    const source = new TokenSource(async () => returned as never, undefined, context)
    await assert.rejects(tokenOf(source), /credentials\(\) returned no token/)
  }
})

test('headers() keeps the betas of the request and its workspace', async () => {
  const config = { authentication: { type: 'user_oauth', credentials_path: 'x' }, workspace_id: 'ws' } as const
  const source = new TokenSource(async () => ({ token: 't', expiresAt: null }), config, context)
  assert.deepEqual(await source.headers({}), {
    authorization: 'Bearer t',
    'anthropic-beta': 'oauth-2025-04-20',
    'anthropic-workspace-id': 'ws',
  })
  assert.deepEqual(await source.headers({ 'anthropic-beta': 'a, oauth-2025-04-20', 'anthropic-workspace-id': 'own' }), {
    authorization: 'Bearer t',
    'anthropic-beta': 'a,oauth-2025-04-20',
    'anthropic-workspace-id': 'own',
  })
})

test('a config that cannot work is an error that names the field', async () => {
  const federation = {
    type: 'oidc_federation',
    federation_rule_id: 'r',
    identity_token: { source: 'file', path: 'x' },
  } as const
  for (const [config, message] of [
    [{ authentication: { ...federation, federation_rule_id: '' }, organization_id: 'o' }, /federation_rule_id/],
    [{ authentication: federation }, /organization_id/],
    [{ authentication: { type: 'oidc_federation', federation_rule_id: 'r' }, organization_id: 'o' }, /identity_token/],
    [{ authentication: { type: 'user_oauth' } }, /credentials_path/],
    [{ authentication: { type: 'other' } }, /"other"/],
  ] as const) {
    await assert.rejects(tokenSource({ config: config as never }, context), message)
  }
})

const asks = (answer: Answer): void => answer.json(200, hello)

test('a client with credentials sends the token, and its copies share it', async (t) => {
  const server = await faultServer(t, asks)
  let calls = 0
  const credentials = async (): Promise<AccessToken> => ({ token: `t${++calls}`, expiresAt: null })
  const client = new Anthropic({ credentials, baseURL: server.url })
  assert.equal(client.credentials, credentials)
  await client.messages.create(params)
  await client.withOptions({ maxRetries: 1 }).messages.create(params)
  await client.withOptions({ apiKey: 'own' }).messages.create(params)
  assert.deepEqual(
    server.requests.map(({ headers }) => headers['authorization'] ?? headers['x-api-key']),
    ['Bearer t1', 'Bearer t1', 'own'],
  )
})

test('a 401 makes one more attempt with another token, also for a stream', async (t) => {
  const refuses = (answer: Answer): void => {
    answer.json(401, { type: 'error', error: { type: 'authentication_error', message: 'No' } })
  }
  const server = await faultServer(t, refuses, asks, refuses, refuses, refuses)
  let calls = 0
  const client = new Anthropic({
    credentials: async () => ({ token: `t${++calls}`, expiresAt: null }),
    baseURL: server.url,
    maxRetryDelay: 1,
  })
  await client.messages.create(params)
  await assert.rejects(client.messages.create(params), Anthropic.AuthenticationError)
  assert.deepEqual(
    server.requests.map(({ headers }) => headers['authorization']),
    ['Bearer t1', 'Bearer t2', 'Bearer t2', 'Bearer t3'],
  )
})

test('a header of the caller replaces the token, and null sends none', async (t) => {
  const server = await faultServer(t, asks)
  const client = new Anthropic({ credentials: () => assert.fail('not asked'), baseURL: server.url })
  await client.messages.create(params, { headers: { 'x-api-key': 'own' } })
  await client.messages.create(params, { headers: { authorization: null } })
  assert.deepEqual(
    server.requests.map(({ headers }) => headers['authorization'] ?? null),
    [null, null],
  )
})

test('middleware and fetch see the request for a token', async () => {
  const seen: string[] = []
  const client = new Anthropic({
    config: {
      base_url: 'https://api.example.test',
      organization_id: 'o',
      authentication: {
        type: 'oidc_federation',
        federation_rule_id: 'r',
        identity_token: { source: 'file', path: import.meta.filename },
      },
    },
    middleware: [(request, next) => (seen.push(request.url), next(request))],
    fetch: async (url) => Response.json(url.endsWith('/token') ? { access_token: 't', expires_in: 60 } : hello),
  })
  await client.messages.create(params)
  assert.deepEqual(seen, ['https://api.example.test/v1/oauth/token', 'https://api.example.test/v1/messages'])
  assert.equal(client.baseURL, 'https://api.example.test')
})

test('no error and no print of the client shows a token', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'colloquy-token-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'credentials.json')
  const server = await faultServer(t, (answer) =>
    answer.json(400, { error: 'invalid_grant', refresh_token: 'secret-3' }),
  )
  const config = {
    authentication: { type: 'user_oauth', client_id: 'c', credentials_path: path },
    base_url: server.url,
  } as const
  const ask = async (): Promise<string> => {
    const client = new Anthropic({ config, maxRetries: 0 })
    const error: unknown = await client.messages.create(params).catch((error: unknown) => error)
    assert.ok(error instanceof Anthropic.AnthropicError)
    return inspect([error, client], { depth: 9 })
  }
  const contents = [
    '{"access_token":"secret-1","refresh_token":"secret-2","expires_at":1}',
    '{"access_token":"secret-1","expires_at":1}',
    '{"access_token":"secret-1"',
    '["secret-1"]',
  ]
  for (const content of contents) {
    await writeFile(path, content, { mode: 0o600 })
    assert.doesNotMatch(await ask(), /secret/)
  }
  await chmod(path, 0o644)
  assert.match(await ask(), /other users can read \(mode 644\)/)
})

test('a refreshed token is stored for its owner alone', { skip: process.platform === 'win32' }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'colloquy-token-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'credentials.json')
  await writeFile(path, '{"access_token":"old","refresh_token":"r","expires_at":1,"more":true}', { mode: 0o600 })
  const server = await faultServer(t, (answer) => answer.json(200, { access_token: 'new', expires_in: 60 }), asks)
  const config = { authentication: { type: 'user_oauth', client_id: 'c', credentials_path: path } } as const
  await new Anthropic({ config, baseURL: server.url }).messages.create(params)
  assert.equal(server.requests[1]!.headers['authorization'], 'Bearer new')
  const { access_token, refresh_token, more } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  assert.deepEqual([access_token, refresh_token, more], ['new', 'r', true])
  assert.equal((await stat(path)).mode & 0o777, 0o600)
})

test('two kinds of credentials are an error', () => {
  const credentials = async (): Promise<AccessToken> => ({ token: 't', expiresAt: null })
  assert.throws(() => new Anthropic({ apiKey: 'k', credentials }), /both apiKey and credentials/)
  assert.throws(() => new Anthropic({ profile: 'a', config: {} as never }), /both config and profile/)
})

test('a field that the option config lacks is not taken from the environment, and the error says so', async (t) => {
  const variables = { ANTHROPIC_FEDERATION_RULE_ID: 'r', ANTHROPIC_ORGANIZATION_ID: 'o' }
  Object.assign(process.env, variables)
  t.after(() => Object.keys(variables).forEach((name) => delete process.env[name]))
  const identity_token = { source: 'file', path: import.meta.filename } as const
  const errorFor = async (given: object): Promise<string> => {
    const { organization_id, ...authentication } = given as { organization_id?: string }
    const config = { organization_id, authentication: { type: 'oidc_federation', ...authentication } } as never
    const error: unknown = await tokenSource({ config }, context).catch((error: unknown) => error)
    return error instanceof Error ? error.message : 'none'
  }
  assert.deepEqual(
    [
      await errorFor({ identity_token }),
      await errorFor({ identity_token, federation_rule_id: 'r' }),
      await errorFor({ organization_id: 'o', federation_rule_id: 'r' }),
      await errorFor({ organization_id: 'o', federation_rule_id: 'r', identity_token }),
    ],
    [
      'Cannot use workload identity without federation_rule_id: set it in the config, or for a profile in ANTHROPIC_FEDERATION_RULE_ID',
      'Cannot use workload identity without organization_id: set it in the config, or for a profile in ANTHROPIC_ORGANIZATION_ID',
      'Cannot use workload identity without identity_token: set it in the config, or in ANTHROPIC_IDENTITY_TOKEN_FILE',
      'none',
    ],
  )
})

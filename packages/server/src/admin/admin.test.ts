import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offline, script, type ScriptedMessage } from 'colloquy/engines'
import { createServer, type Server } from '../app.ts'
import { type AccessOptions, openAccess, type StoreAccess } from '../access/open-access.ts'
import { openServerStore } from '../state/server-store.ts'

const ask = { model: 'claude-sonnet-4-6', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] }
const version = { 'anthropic-version': '2023-06-01' }

test('keys are created, changed and removed over HTTP, and shown once', async (t) => {
  const { call } = await serve(t, { anonymous: true })
  const settings = {
    models: ['claude-*'],
    limits: { requests_per_minute: 100 },
    budgets: [{ usd: '2.5', per: 'day' }],
  }
  const created = await call('POST', '/admin/keys', { name: 'root', is_admin: true })
  assert.equal(created.status, 201)
  const admin = created.json['secret'] as string
  const { status, json } = await call('POST', '/admin/keys', { name: 'ada', ...settings }, admin)
  assert.equal(status, 201)
  const { id, secret, hint, created_at, ...rest } = json
  assert.deepEqual(rest, {
    type: 'access_key',
    name: 'ada',
    workspace: 'default',
    is_admin: false,
    expires_at: null,
    revoked_at: null,
    last_used_at: null,
    models: ['claude-*'],
    limits: { requests_per_minute: 100 },
    budgets: [{ each: 'key', usd: '2.5', per: 'day', spent_usd: '0', reserved_usd: '0' }],
  })
  const shown = await call('GET', '/admin/keys/ada', undefined, admin)
  assert.deepEqual(shown.json, { id, hint, created_at, ...rest })
  assert.equal((await call('GET', '/admin/keys', undefined, secret as string)).status, 403)
  assert.equal((await call('GET', '/admin/keys')).status, 401)
  assert.equal((await call('POST', '/admin/keys', { name: 'ada' }, admin)).status, 409)
  for (const path of ['/admin/keys', '/admin/requests']) {
    const missing = await call('GET', `${path}/${'a'.repeat(20_000)}`, undefined, admin)
    assert.deepEqual([missing.status, errorOf(missing.json).length < 200], [404, true])
  }
  const wrong = await call(
    'POST',
    '/admin/keys',
    { name: 'bob', limits: { rpm: 1, concurrent_requests: 1e30 }, budgets: [{ usd: 5 }] },
    admin,
  )
  assert.equal(wrong.status, 400)
  assert.match(errorOf(wrong.json), /limits\.rpm: .*limits\.concurrent_requests: .*budgets\.0/s)
  const day = { per: 'day', each: 'user' }
  for (const [settings, message] of [
    [{ models: ['claude-*-mini'] }, /models\.0: must match .*: found "claude-\*-mini"/],
    [
      {
        budgets: [
          { usd: '5', ...day },
          { usd: '7', ...day },
        ],
      },
      /: it has two budgets a day for each user$/,
    ],
  ] as const) {
    const refused = await call('POST', '/admin/keys', { name: 'bob', ...settings }, admin)
    assert.equal(refused.status, 400)
    assert.match(errorOf(refused.json), message)
  }
  const leap = await call('POST', '/admin/keys/ada', { expires_at: '2030-02-30T00:00:00Z' }, admin)
  assert.match(errorOf(leap.json), /^expires_at: "2030-02-30T00:00:00Z" is not a time/)
  const past = await call('POST', '/admin/keys', { name: 'bob', expires_at: '2020-01-01' }, admin)
  assert.match(errorOf(past.json), /^Cannot create the key bob as it must expire later than now: found 2020-01-01T00/)
  const changed = await call('POST', '/admin/keys/ada', { models: ['claude-haiku-*'], expires_at: '2030-01-01' }, admin)
  assert.deepEqual(
    [changed.json['models'], changed.json['expires_at']],
    [['claude-haiku-*'], '2030-01-01T00:00:00.000Z'],
  )
  assert.deepEqual(changed.json['limits'], { requests_per_minute: 100 })
  const rotated = await call('POST', '/admin/keys/ada/rotate', { grace_seconds: 60 }, admin)
  assert.notEqual(rotated.json['secret'], secret)
  assert.notEqual((await call('POST', '/admin/keys/ada/revoke', undefined, admin)).json['revoked_at'], null)
  assert.deepEqual((await call('DELETE', '/admin/keys/ada', undefined, admin)).json, { type: 'access_key_deleted', id })
  assert.equal((await call('GET', '/admin/keys/ada', undefined, admin)).status, 404)
})

test('a refusal before any output has its tokens in the ledger, and no cost unless its category is billed', async (t) => {
  const usage = { input_tokens: 1_000, output_tokens: 1, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 }
  const refusal = (category: string, content = ''): ScriptedMessage => ({
    content,
    usage,
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category, explanation: null },
  })
  const replies = [refusal('cyber'), refusal('bio'), refusal('cyber', 'Hello'), refusal('cyber')]
  // Requests of one millisecond are listed in any order.
  let now = Date.now()
  const { access, call } = await serve(t, { engine: 'claude', now: () => now++ }, script(replies))
  const { secret: admin } = await access.keys.create({ name: 'root', isAdmin: true })
  const { secret } = await access.keys.create({ name: 'ada' })
  for (const _ of replies) await call('POST', '/v1/messages', ask, secret)
  const { json } = await call('GET', '/admin/requests', undefined, admin)
  assert.deepEqual(
    (json['data'] as { usd: string; tokens: { input: number } }[]).map(({ usd, tokens }) => [usd, tokens.input]),
    [
      ['0', 1_000],
      ['0.003015', 1_000],
      ['0.003015', 1_000],
      ['0', 1_000],
    ],
  )
})

test('GET /admin/usage and /admin/requests report what was used, with exact costs', async (t) => {
  let now = Date.UTC(2026, 10, 25, 23, 30)
  const usage = {
    input_tokens: 1_000,
    output_tokens: 500,
    cache_read_input_tokens: 10_000,
    cache_creation_input_tokens: 2_000,
  }
  const engine = script([{ reply: { content: 'Hi', usage }, times: 2 }, { error: { type: 'overloaded_error' } }])
  const { access, call } = await serve(t, { anonymous: true, now: () => now, engine: 'claude' }, engine)
  const { secret: admin } = await access.keys.create({ name: 'root', isAdmin: true })
  const { key, secret } = await access.keys.create({ name: 'ada' })
  const metadata = { user_id: JSON.stringify({ device_id: 'd', account_uuid: 'acc', session_id: 's-1' }) }
  await call('POST', '/v1/messages', { ...ask, metadata }, secret)
  now += 3_600_000
  await call('POST', '/v1/messages', ask, secret)
  now += 1_000
  await call('POST', '/v1/messages', ask, secret)

  const { json } = await call('GET', '/admin/usage?by=day,key&tz=UTC', undefined, admin)
  // 1,000 × $3 + 2,000 × $3.75 + 10,000 × $0.30 + 500 × $15 for a million tokens.
  const tokens = { input: 1_000, cache_write_5m: 2_000, cache_write_1h: 0, cache_read: 10_000, output: 500 }
  const one = { usd: '0.021', saved_usd: '0.0255', estimated: { requests: 0, usd: '0' }, unpriced: 0, tokens }
  const [first, second] = json['rows'] as Record<string, unknown>[]
  const { latency, first_event, usd_by_type, ...sums } = first!
  assert.deepEqual(sums, { group: { day: '2026-11-25', key: 'ada', key_id: key.id }, ...one, requests: 1, failed: 0 })
  assert.deepEqual(usd_by_type, {
    input: '0.003',
    cache_write_5m: '0.0075',
    cache_write_1h: '0',
    cache_read: '0.003',
    output: '0.0075',
    server_tools: '0',
  })
  for (const { p50_ms, p95_ms, p99_ms, ...more } of [latency, first_event] as Record<string, number>[]) {
    assert.ok(p50_ms! >= 1 && p50_ms === p95_ms && p50_ms === p99_ms, `${p50_ms} ms`)
    assert.deepEqual(more, {})
  }
  assert.deepEqual([second!['requests'], second!['failed'], second!['usd']], [2, 1, '0.021'])
  const total = json['total'] as Record<string, unknown>
  assert.deepEqual([total['usd'], total['requests'], total['failed']], ['0.042', 3, 1])

  const paris = await call('GET', '/admin/usage?by=day&tz=Europe/Paris&reprice', undefined, admin)
  assert.deepEqual(
    (paris.json['rows'] as { group: object }[]).map(({ group }) => group),
    [{ day: '2026-11-26' }],
  )
  assert.deepEqual(paris.json['repriced'], { requests: 3, usd: '0.042', repriced_usd: '0.042', newly_priced: 0 })
  const users = await call('GET', '/admin/usage?by=user,chat&key=ada', undefined, admin)
  assert.deepEqual(
    (users.json['rows'] as { group: object; requests: number }[]).map(({ group, requests }) => [group, requests]),
    [
      [{ user: '', chat: '' }, 2],
      [{ user: 'acc', chat: 's-1' }, 1],
    ],
  )

  const page = await call('GET', '/admin/requests?limit=2&key=ada', undefined, admin)
  const data = page.json['data'] as Record<string, unknown>[]
  assert.deepEqual(
    data.map(({ status, error_type, usd }) => [status, error_type, usd]),
    [
      [529, 'overloaded_error', '0'],
      [200, null, '0.021'],
    ],
  )
  const rest = await call('GET', `/admin/requests?before=${String(page.json['next'])}&key=ada`, undefined, admin)
  const [last] = rest.json['data'] as Record<string, unknown>[]
  assert.deepEqual(rest.json['has_more'], false)
  const { id, started_at, ms, ttft_ms, request_bytes, response_bytes, ...facts } = last!
  assert.equal(started_at, '2026-11-25T23:30:00.000Z')
  assert.ok(Number(ttft_ms) >= 0 && Number(ttft_ms) <= Number(ms))
  assert.ok(Number(request_bytes) > 100 && Number(response_bytes) > 100)
  assert.deepEqual(facts, {
    type: 'request',
    workspace: 'default',
    key_id: key.id,
    key: 'ada',
    user_id: 'acc',
    conversation: 's-1',
    source: 'api',
    path: '/v1/messages',
    engine: 'claude',
    model: 'claude-sonnet-4-6',
    served_model: 'claude-sonnet-4-6',
    tokens,
    usd: '0.021',
    saved_usd: '0.0255',
    price: '2026-02-17 price list of 2026-02-17',
    estimated: false,
    status: 200,
    error_type: null,
    stop_reason: 'end_turn',
    attempts: 1,
  })
  assert.deepEqual((await call('GET', `/admin/requests/${String(id)}`, undefined, admin)).json, last)
  assert.equal((await call('GET', '/admin/requests/req_x', undefined, admin)).status, 404)
  const failed = await call('GET', '/admin/requests?outcome=failed', undefined, admin)
  assert.equal((failed.json['data'] as unknown[]).length, 1)
})

test('the admin API names the mistake in a query', async (t) => {
  const { call } = await serve(t, { anonymous: true })
  const mistakes = {
    'by=week': /^by: "week" is not one of hour, day/,
    'by=day,model,key': /^by: must be at most two/,
    'since=yesterday': /^since: "yesterday" is not a time such as/,
    'since=2026-02-30': /^since: "2026-02-30" is not a time such as/,
    'until=2026-02-30T00:00:00Z': /^until: "2026-02-30T00:00:00Z" is not a time such as/,
    'since=2026-02-01&until=2026-01-01': /^since: must be before until/,
    'tz=Mars': /^tz: "Mars" is not a time zone/,
    'source=web': /^source: "web" is not one of api, chat, batch$/,
    'user=u-1':
      /^user: is not a parameter of this route, which has by, tz, reprice, since, until, workspace, key, model, source$/,
  }
  for (const [query, message] of Object.entries(mistakes)) {
    const { status, json } = await call('GET', `/admin/usage?${query}`)
    assert.equal(status, 400)
    assert.match(errorOf(json), message)
  }
  assert.equal((await call('GET', '/admin/requests?limit=0')).status, 400)
  assert.equal((await call('GET', '/admin/requests?before=x')).status, 400)
  assert.equal((await call('GET', '/admin/requests?status=failed')).status, 400)
  assert.equal((await call('GET', '/admin/keys?name=ada')).status, 400)
  assert.equal((await call('GET', '/admin/nothing')).status, 404)
  assert.equal((await call('POST', '/admin/keys', 'x'.repeat(70_000))).status, 413)
})

function errorOf(json: Record<string, unknown>): string {
  return (json['error'] as { message: string }).message
}

type Call = (
  method: string,
  path: string,
  body?: unknown,
  key?: string,
) => Promise<{ status: number; json: Record<string, unknown> }>

test('reports of the ledger do not read all keys', async (t) => {
  const { access, call } = await serve(t, {})
  const { secret: admin } = await access.keys.create({ name: 'root', isAdmin: true })
  const { key, secret } = await access.keys.create({ name: 'ada' })
  await call('POST', '/v1/messages', ask, secret)
  const list = t.mock.method(access.keys, 'list')
  const found: unknown[] = []
  for (const path of ['requests?key=ada', `requests?key=${key.id}`, 'usage?by=key&key=ada', 'requests?key=nobody']) {
    const { json } = await call('GET', `/admin/${path}`, undefined, admin)
    found.push(...((json['data'] ?? json['rows']) as object[]).map((row) => ('group' in row ? row.group : row)))
  }
  assert.deepEqual(
    (found as { key: string; key_id: string }[]).map((row) => [row.key, row.key_id]),
    [1, 2, 3].map(() => ['ada', key.id]),
  )
  assert.equal(list.mock.callCount(), 0)
})

async function serve(
  t: { after: (work: () => Promise<void>) => void },
  options: Partial<AccessOptions>,
  engine = offline(),
): Promise<{ access: StoreAccess; server: Server; call: Call }> {
  const store = await openServerStore(':memory:')
  const access = await openAccess({ store, ...options })
  const server = createServer({ engine, access, ...(options.now && { now: options.now }) })
  t.after(async () => {
    await access.close()
    await store.close()
  })
  const call: Call = async (method, path, body, key) => {
    const headers = { ...version, 'content-type': 'application/json', ...(key !== undefined && { 'x-api-key': key }) }
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const response = await server.fetch(`http://colloquy.test${path}`, init)
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }
  return { access, server, call }
}

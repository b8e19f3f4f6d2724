import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, mock, test } from 'node:test'
import { createServer } from '@colloquy/server'
import { Ledger, type LedgerEntry, openAccess, type RequestOrigin, requestRow } from '@colloquy/server/access'
import { listen } from '@colloquy/server/node'
import { openServerStore } from '@colloquy/server/store'
import { offline } from 'colloquy/engines'
import { until } from '../../../../../test/until.ts'
import { parse } from '../parse.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-usage-'))
const database = join(folder, 'server.db')
after(() => rmSync(folder, { recursive: true }))

/** Runs a command in this process and returns its standard output. */
async function run(...line: string[]): Promise<{ code: number; stdout: string }> {
  const { command, words, flags } = await parse(line.includes('--database') ? line : [...line, '--database', database])
  let stdout = ''
  const pass = process.stdout.write.bind(process.stdout)
  // The reporter of the tests writes bytes.
  const write = mock.method(process.stdout, 'write', (text: string | Uint8Array) => {
    if (typeof text !== 'string') return pass(text)
    stdout += text
    return true
  })
  const writeError = mock.method(process.stderr, 'write', () => true)
  try {
    return { code: await command.run(words, flags), stdout }
  } finally {
    write.mock.restore()
    writeError.mock.restore()
  }
}

const origin: RequestOrigin = {
  id: 'req_0',
  started_at: 0,
  workspace: 'default',
  key_id: '',
  user_id: '',
  conversation: '',
  source: 'api',
  path: '/v1/messages',
  engine: 'api',
  model: 'claude-opus-4-8',
}
/** A day after the requests: a ledger forgets their details after 90 days. */
const now = (): number => Date.parse('2026-11-17T12:00:00Z')
const entry: LedgerEntry = {
  status: 200,
  servedModel: null,
  attempts: [],
  usage: null,
  stopReason: 'end_turn',
  isFree: false,
  ttftMs: 500,
  ms: 2_000,
  requestBytes: 100,
  responseBytes: 1_000,
  aborted: false,
  error: undefined,
}

before(async () => {
  await (await openServerStore(database)).close()
  assert.equal((await run('usage')).stdout, 'No requests yet. colloquy chat, or point a client at colloquy serve.\n')
  const store = await openServerStore(database)
  const ledger = new Ledger(store.database, { now })
  let id = 0
  const add = (at: string, model: string, [input, read, output]: number[], more: Partial<LedgerEntry> = {}): void => {
    const usage = {
      input_tokens: input!,
      cache_read_input_tokens: read!,
      cache_creation_input_tokens: 0,
      output_tokens: output!,
    }
    const made = { ...origin, id: `req_${++id}`, started_at: Date.parse(at), model }
    ledger.settle(requestRow(made, { ...entry, usage, ...more }, { isPriced: true }), undefined)
  }
  add('2026-10-31T12:00:00Z', 'claude-opus-4-8', [1_000, 0, 1_000])
  add('2026-11-15T09:00:00Z', 'claude-opus-4-8', [12_100, 410_000, 21_000])
  add('2026-11-15T23:30:00Z', 'claude-haiku-4-5', [1_000, 20_000, 3_200])
  add('2026-11-16T09:00:00Z', 'claude-opus-4-8', [40_200, 1_200_000, 70_300], {
    stopReason: null,
    aborted: true,
    ms: 14_000,
  })
  add('2026-11-16T09:10:00Z', 'llama', [800, 0, 1_200])
  add('2026-11-16T09:20:00Z', 'claude-opus-4-8', [0, 0, 0], { usage: null, error: new Error('x'), status: 500 })
  await ledger.close()
  await store.close()
})

test('usage refuses a database that does not exist, and makes none', async () => {
  const path = join(folder, 'none', 'x.db')
  await assert.rejects(run('usage', '--database', path), { message: /^No database .*x\.db: / })
  assert.equal(existsSync(dirname(path)), false)
})

test('usage prints a table with bars, shares, and what is estimated or has no price', async () => {
  const { code, stdout } = await run('usage', '2026-11', '--tz', 'UTC', '--chart')
  assert.equal(code, 0)
  assert.equal(
    stdout.replace(/list is of 20[\d-]{8}\./, 'list is of DAY.'),
    `Usage · 1 – 30 Nov 2026 · UTC
≈$3.37  (the month before $0.0300, +11127%)   5 requests · 1 failed   cache saved $7.26   p50 2.0 s  p95 13.8 s

 day       cost                input  cache w  cache r  output  req
 Sun 15   $0.81  ███▊            13k        0     430k     24k    2
 Mon 16  ≈$2.56  ████████████    41k        0     1.2M     72k    3
 ──────
 total   ≈$3.37                  54k        0     1.6M     96k    5

 model                 cost  share
 claude-opus-4-8     ≈$3.35    99%
 claude-haiku-4-5   $0.0190     1%
≈ includes 1 interrupted reply (about $2.56)
no price: llama (1 request, 2.0k tokens)
Prices of the day of each request; the newest price list is of DAY. --reprice calculates them again.
`,
  )
})

test('usage groups by up to two fields, in the time zone of the user', async () => {
  const { stdout } = await run(
    'usage',
    '--since',
    '2026-11-01',
    '--until',
    '2026-11-30',
    '--tz',
    'Europe/Paris',
    '--by',
    'day,model',
    '--csv',
  )
  assert.deepEqual(
    stdout.split('\r\n').map((line) => line.split(',').slice(0, 3).join(',')),
    [
      'day,model,usd',
      '2026-11-15,claude-opus-4-8,0.7905',
      '2026-11-16,claude-haiku-4-5,0.019',
      '2026-11-16,claude-opus-4-8,2.5585',
      '2026-11-16,llama,0',
      '',
    ],
  )
})

test('usage fits a narrow terminal, and prints Markdown and JSON', async () => {
  const { stdout } = await run('usage', '2026-11', '--tz', 'UTC', '--by', 'model', '--md', '--top', '1')
  assert.match(stdout, /^\| claude-opus-4-8 \| \$3\.35 \| 52k \| 0 \| 1\.6M \| 91k \| 3 \|$/m)
  const { total, rows, repriced, previous_usd, price_version, unpriced } = JSON.parse(
    (await run('usage', '2026-11', '--tz', 'UTC', '--by', 'source', '--json', '--reprice')).stdout,
  ) as Record<string, Record<string, unknown>> & { rows: { group: object }[] }
  assert.deepEqual([total!['usd'], total!['requests'], previous_usd], ['3.368', 5, '0.03'])
  assert.deepEqual(rows[0]!.group, { source: 'api' })
  assert.match(String(price_version), /^\d{4}-\d\d-\d\d$/)
  assert.deepEqual(unpriced, [{ model: 'llama', requests: 1, tokens: 2_000 }])
  assert.deepEqual(repriced, { requests: 5, usd: '3.368', repriced_usd: '3.368', newly_priced: 0 })
})

test('usage --compare adds the cost of the period before', async () => {
  const { stdout } = await run('usage', '2026-11', '--tz', 'UTC', '--by', 'model', '--compare')
  assert.match(stdout, /^ claude-opus-4-8     ≈\$3\.35  \$0\.0300 /m)
})

test('usage --by type splits tokens and cost exactly', async () => {
  const { stdout } = await run('usage', '2026-11', '--tz', 'UTC', '--by', 'model,type', '--csv', '--source', 'api')
  const rows = stdout
    .split('\r\n')
    .slice(1, -1)
    .map((line) => line.split(','))
  assert.deepEqual(
    rows.map((row) => row.slice(0, 3)),
    [
      ['claude-opus-4-8', 'output', '2.2825'],
      ['claude-opus-4-8', 'cache_read', '0.805'],
      ['claude-opus-4-8', 'input', '0.2615'],
      ['claude-haiku-4-5', 'output', '0.016'],
      ['claude-haiku-4-5', 'cache_read', '0.002'],
      ['claude-haiku-4-5', 'input', '0.001'],
      ['llama', 'input', '0'],
      ['llama', 'output', '0'],
    ],
  )
  const table = (await run('usage', '2026-11', '--tz', 'UTC', '--by', 'model,type')).stdout
  assert.match(table, /^ llama +output +no price /m)
  await assert.rejects(run('usage', '--by', 'type,chat'), {
    message: /^Cannot group by type together with user or chat/,
  })
})

test('usage --models splits each row by model', async () => {
  const { stdout } = await run('usage', '2026-11', '--tz', 'UTC', '--models')
  assert.match(stdout, /^ Sun 15 .*\n {3}claude-opus-4-8 +\$0\.79 .*\n {3}claude-haiku-4-5 +\$0\.0190 /m)
  await assert.rejects(run('usage', '--models', '--by', 'day,key'), { message: /^Cannot use --models with two fields/ })
})

test('usage --watch shows the report again when it has changed, until a signal', async () => {
  const listeners = process.listenerCount('SIGHUP')
  const running = run('usage', '2026-11', '--tz', 'UTC', '--watch')
  await until(() => process.listenerCount('SIGHUP') > listeners)
  process.emit('SIGHUP')
  const { code, stdout } = await running
  assert.equal(code, 129)
  assert.equal(stdout.match(/^Usage/gm)?.length, 1)
})

test('usage --remote reads the usage of a server as its database has it', async (t) => {
  const store = await openServerStore(database)
  const access = await openAccess({ store, now })
  const { secret } = await access.keys.create({ name: 'root', isAdmin: true })
  const server = await listen(createServer({ engine: offline(), access }))
  t.after(async () => {
    await server.close()
    await access.keys.remove('root')
    await access.close()
    await store.close()
  })
  await assert.rejects(run('usage', '--remote', server.url), { exitCode: 3, message: /COLLOQUY_ADMIN_KEY/ })
  process.env['COLLOQUY_ADMIN_KEY'] = secret
  t.after(() => delete process.env['COLLOQUY_ADMIN_KEY'])
  for (const line of [
    'usage 2026-11 --tz UTC --chart --reprice',
    'usage 2026-11 --tz UTC --by model,type --csv',
    'usage 2020-01 --tz UTC',
    'usage request req_2',
  ]) {
    const [here, there] = [await run(...line.split(' ')), await run(...line.split(' '), '--remote', server.url)]
    assert.equal(there.stdout, here.stdout, line)
  }
  await assert.rejects(run('usage', 'request', 'req_x', '--remote', server.url), {
    message: 'No request req_x is in the ledger.',
  })
  await assert.rejects(run('usage', '--remote', 'there'), { message: /^Cannot use --remote there: give a URL/ })
})

test('usage --remote without a URL compares days with the account at Claude', async (t) => {
  await assert.rejects(run('usage', '2026-11', '--remote'), { exitCode: 3, message: /ANTHROPIC_ADMIN_KEY/ })
  process.env['ANTHROPIC_ADMIN_KEY'] = 'sk-ant-admin01-x'
  t.after(() => delete process.env['ANTHROPIC_ADMIN_KEY'])
  const asked: string[] = []
  t.mock.method(globalThis, 'fetch', (input: string | URL | Request, init?: RequestInit) => {
    const { url, headers } = new Request(input, init)
    assert.equal(headers.get('x-api-key'), 'sk-ant-admin01-x')
    asked.push(new URL(url).search)
    const day = (of: string, ...amounts: string[]): object => {
      return { starting_at: `${of}T00:00:00Z`, results: amounts.map((amount) => ({ amount, currency: 'USD' })) }
    }
    const isSecond = url.includes('page=next')
    const data = isSecond ? [day('2026-11-16', '255.85')] : [day('2026-11-15', '70', '11.45'), day('2026-11-14')]
    return Promise.resolve(Response.json({ data, has_more: !isSecond, next_page: isSecond ? null : 'next' }))
  })
  const { stdout } = await run('usage', '2026-11', '--tz', 'UTC', '--remote')
  assert.equal(asked.length, 2)
  assert.match(asked[0]!, /starting_at=2026-11-01T00%3A00%3A00Z&ending_at=2026-12-01T00%3A00%3A00Z/)
  assert.deepEqual(
    stdout.split('\n').map((line) => line.trim().split(/ {2,}/)),
    [
      ['day (UTC)', 'here', 'Claude', 'difference'],
      ['2026-11-15', '$0.81', '$0.81', '+$0.0050'],
      ['2026-11-16', '$2.56', '$2.56', '+$0.00'],
      ['total', '$3.37', '$3.37', '+$0.0050'],
      [''],
    ],
  )
})

test('usage request shows one request', async () => {
  const { stdout } = await run('usage', 'request', 'req_2')
  assert.match(stdout, /^usd +0\.7905$/m)
  await assert.rejects(run('usage', 'request', 'req_x'), { message: 'No request req_x is in the ledger.' })
})

test('usage explains what is wrong or missing', async () => {
  const wrong = {
    'usage yesterday': /^Cannot show yesterday: give today, week, month, all, or a month such as 2026-11$/,
    'usage --since 2026-02-30': /^Cannot use --since 2026-02-30: give a day/,
    'usage --since May': /^Cannot use --since May: give a day such as 2026-11-15, or days ago such as 7d$/,
    'usage --by week': /^Cannot group by week: give one or two of hour, day/,
    'usage --tz Mars': /^Cannot use --tz Mars: give a time zone such as Europe\/Paris$/,
  }
  for (const [line, message] of Object.entries(wrong))
    await assert.rejects(run(...line.split(' ')), { message, exitCode: 2 })
  assert.equal(
    (await run('usage', '2020-01', '--model', 'claude-opus-4-8', '--tz', 'UTC')).stdout,
    'No requests in 1 – 31 Jan 2020 with --model claude-opus-4-8. The first one was on 2026-10-31.\n',
  )
  assert.equal(
    (await run('usage', '2026-10', '--model', 'llama', '--tz', 'UTC')).stdout,
    'No requests in 1 – 31 Oct 2026 with --model llama. The first one was on 2026-11-16.\n',
  )
  assert.equal((await run('usage', '--key', 'eve')).stdout, 'No requests with --key eve, at any time.\n')
})

test('keys prints a secret once, lists keys without it, and ends them', async () => {
  assert.equal(
    (await run('keys')).stdout,
    'No keys yet. colloquy keys set anthropic keeps yours; colloquy keys create NAME makes one of the server.\n',
  )
  const flags = [
    '--budget',
    '5/day',
    '--budget',
    '0.5/month/user',
    '--rpm',
    '60',
    '--models',
    'claude-*',
    '--expires',
    '2099-01-01',
  ]
  const { stdout: secret } = await run('keys', 'create', 'ada', ...flags)
  assert.match(secret, /^sk-colloquy-[\w-]{32}\n$/)
  const end = secret.trim().slice(-4)
  assert.equal(
    (await run('keys', 'list')).stdout,
    `ada  sk-colloquy-…${end}  never used · $0.00 of $5 a day · $0.00 of $0.5 a month for each user · 60 requests a minute · claude-* · expires 2099-01-01\n`,
  )
  assert.notEqual((await run('keys', 'rotate', 'ada', '--grace', '1h')).stdout, secret)
  const { budgets } = JSON.parse((await run('keys', 'rotate', 'ada', '--json')).stdout) as {
    budgets: { usd: string }[]
  }
  assert.deepEqual(
    budgets.map(({ usd }) => usd),
    ['5', '0.5'],
  )
  assert.match((await run('keys', 'revoke', 'ada', '--yes')).stdout, /^Revoked ada\./)
  assert.match((await run('keys', 'list')).stdout, / · revoked \d{4}-/)
  assert.equal((await run('keys', 'remove', 'ada', '-y')).stdout, 'Removed ada.\n')
  await assert.rejects(run('keys', 'create'), { message: /^Cannot create a key without its name/ })
  await assert.rejects(run('keys', 'create', 'bob', '--budget', 'five'), {
    message: /^Cannot use --budget five: give dollars/,
  })
  await assert.rejects(run('keys', 'revoke', 'bob', '-y'), {
    message: 'There is no key bob. colloquy keys list shows them.',
    exitCode: 1,
  })
  await assert.rejects(run('keys', 'make', 'bob'), { message: /^No subcommand make\. Give one of create, list/ })
})

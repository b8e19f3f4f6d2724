import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Keys } from '@colloquy/server/access'
import { openServerStore } from '@colloquy/server/store'
import Anthropic from 'colloquy'
import { fromUsd } from 'colloquy/protocol'
import { startPostgres } from '../postgres-server.ts'
import { startRedis } from '../redis-server.ts'
import { until } from '../until.ts'

const conversations = 200
const turns = 3
const batchItems = 400
/** The requests that a key may send in a minute, to all servers together. */
const limit = 10

const isLong = process.env['COLLOQUY_LONG'] !== undefined
const postgres = isLong ? startPostgres() : undefined
const redis = isLong ? await startRedis() : undefined
if (!isLong) {
  test('three servers', { skip: 'NOT TESTED: it takes 20 seconds; COLLOQUY_LONG=1 runs it' })
} else if (postgres === undefined || redis === undefined) {
  test('three servers', { skip: 'NOT TESTED: no PostgreSQL that this user may start, or no Redis, is installed' })
} else {
  after(async () => {
    postgres.stop()
    await redis.stop()
  })
  test('three servers lose and repeat no cost when one is killed and the database restarts', () =>
    killAndRestart(postgres, redis.url))
}

test(
  'two servers have the same chats of members',
  { skip: postgres === undefined && 'NOT TESTED: see above' },
  async () => {
    const { url: database } = postgres!
    const store = await openServerStore(database)
    const { secret } = await new Keys(store.database).create({ name: 'member' })
    const folder = mkdtempSync(join(tmpdir(), 'colloquy-members-'))
    after(() => rmSync(folder, { recursive: true }))
    const config = join(folder, 'colloquy.json')
    writeFileSync(config, JSON.stringify({ engines: { offline: { type: 'offline' } }, port: 0, console: 'members' }))
    const program = join(import.meta.dirname, '../../packages/cli/src/main.ts')
    const urls = await Promise.all(
      ['one', 'two'].map(async (name) => {
        // Nothing but the database is the same, as on two machines.
        const env = { ...process.env, XDG_DATA_HOME: join(folder, name), COLLOQUY_DATABASE: database }
        const parameters = ['--conditions=@colloquy/source', program, 'serve', '--config', config]
        const child = spawn(process.execPath, parameters, { env, stdio: ['ignore', 'pipe', 'inherit'] })
        after(() => child.kill('SIGKILL'))
        let text = ''
        for await (const part of child.stdout.setEncoding('utf8')) {
          const [, url] = /API +(\S+)\/v1/.exec((text += part)) ?? []
          if (url !== undefined) return url
        }
        return assert.fail(text)
      }),
    )
    const post = (server: number, path: string, body: object, cookie = ''): Promise<Response> =>
      fetch(`${urls[server]}/api/${path}`, { method: 'POST', body: JSON.stringify(body), headers: { cookie } })
    const cookie = (await post(0, 'session', { token: secret })).headers.get('set-cookie')!.split(';')[0]!
    const { id } = (await (await post(0, 'conversations', {}, cookie)).json()) as { id: string }
    const turn = await post(1, `conversations/${id}/send`, { content: 'What is 2 + 2?' }, cookie)
    assert.match(await turn.text(), /"2 \+ 2 = 4"/)
    const read = (server: number): Promise<Response> =>
      fetch(`${urls[server]}/api/conversations/${id}`, { headers: { cookie } })
    await Promise.all(Array.from({ length: 60 }, (_, index) => read(index % 2)))
    const sql = "SELECT count(*) AS connections FROM pg_stat_activity WHERE datname = 'postgres'"
    const [{ connections } = { connections: 0 }] = await store.database.rows<{ connections: number }>('count', sql)
    assert.ok(connections <= 2 * 10 + 1, `${connections} connections`)
    await store.close()
  },
)

interface Answered {
  requestId: string
  instance: number
  startedAt: number
  endedAt: number
}

async function killAndRestart(
  { url: database, restart }: { url: string; restart: () => void },
  redisUrl: string,
): Promise<void> {
  const store = await openServerStore(database)
  const keys = new Keys(store.database)
  const team = await keys.create({ name: 'team', budgets: [{ usd: '1000', per: 'total' }] })
  const poor = await keys.create({ name: 'poor', budgets: [{ usd: '0.02', per: 'total' }] })

  const servers = await Promise.all([0, 1, 2].map(() => startServer(database, redisUrl)))
  const urls = servers.map(({ url }) => url)
  await checkLimit(servers, keys)
  const answered: Answered[] = []
  const failures: unknown[] = []
  const running = Array.from({ length: conversations }, async (_, index) => {
    await sleep(index * (2_500 / conversations))
    const key = index % 4 === 3 ? poor.secret : team.secret
    await converse(clientOf(urls, key, index), index, answered).catch((error: unknown) => failures.push(error))
  })
  const threads: ThreadFacts = { continued: 0, created: 0 }
  const threaded = Array.from({ length: conversations / 5 }, async (_, index) => {
    await sleep(index * (2_500 / (conversations / 5)))
    await converseInThread({ urls, apiKey: team.secret, index }, threads)
  })
  const batch = await clientOf(urls, team.secret, 0).messages.batches.create({ requests: batchRequests() })
  await sleep(1_200)
  servers[0]!.child.kill('SIGKILL')
  await sleep(800)
  restart()
  await Promise.all([...running, ...threaded])

  // Some conversations run out of budget. All others continue on another server.
  const unexpected = failures.filter((error) => !isOverBudget(error))
  assert.deepEqual(unexpected, [])
  assert.ok(failures.length > 0, 'no budget was exceeded')
  // The next server in turn continues a thread. A few are created again, because the killed server held their claim.
  assert.ok(threads.continued > threads.created, JSON.stringify(threads))
  await checkBatch(clientOf(urls, team.secret, 1), batch.id)
  await until(async () => (await store.database.rows('read', 'SELECT * FROM %.in_flight')).length === 0)
  await store.close()
  for (const { child } of servers.slice(1)) child.kill('SIGTERM')
  const codes = await Promise.all(servers.map(({ ended }) => ended))
  assert.deepEqual(codes.slice(1), [0, 0], 'a server ended by itself')
  await checkLedger({ database, answered, poorKey: poor.key.id })
}

interface ThreadFacts {
  /** The requests that continued a thread, and that created one. */
  continued: number
  created: number
}

/** Sends the turns of a thread, each to the next server. Each reply must count the whole conversation. */
async function converseInThread(
  { urls, apiKey, index }: { urls: readonly string[]; apiKey: string; index: number },
  facts: ThreadFacts,
): Promise<void> {
  const client = clientOf(urls, apiKey, index, 8, ({ thread }) => {
    if (thread?.type === 'continue') facts.continued++
    else facts.created++
  })
  const thread = client.beta.messages.thread({ model: 'claude-sonnet-4-6', max_tokens: 200 })
  let inputTokens = 0
  for (let turn = 0; turn < 2 * turns; turn++) {
    const content = `Thread ${index}, question ${turn}: what is ${turn} + ${index}?`
    const { usage } = await repeated(() => thread.send({ role: 'user', content }))
    assert.ok(usage.input_tokens > inputTokens, `${usage.input_tokens} tokens after ${inputTokens}`)
    inputTokens = usage.input_tokens
  }
  assert.equal(thread.messages.length, 4 * turns)
}

function batchRequests(): Anthropic.Messages.BatchCreateParams.Request[] {
  return Array.from({ length: batchItems }, (_, index) => ({
    custom_id: `item-${index}`,
    params: {
      model: 'claude-haiku-4-5',
      max_tokens: 50,
      messages: [{ role: 'user' as const, content: `Item ${index}` }],
    },
  }))
}

/** Waits for the end of the batch, in which each item must have one result. */
async function checkBatch({ messages: { batches } }: Anthropic, id: string): Promise<void> {
  while ((await repeated(() => batches.retrieve(id))).processing_status !== 'ended') await sleep(100)
  const { request_counts: counts } = await batches.retrieve(id)
  assert.deepEqual(counts, { processing: 0, succeeded: batchItems, errored: 0, canceled: 0, expired: 0 })
  const seen: string[] = []
  for await (const { custom_id } of await batches.results(id)) seen.push(custom_id)
  assert.deepEqual([seen.length, new Set(seen).size], [batchItems, batchItems])
}

interface Facts {
  database: string
  answered: readonly Answered[]
  poorKey: string
}

async function checkLedger({ database, answered, poorKey }: Facts): Promise<void> {
  const store = await openServerStore(database)
  const read = <Row>(sql: string): Promise<Row[]> => store.database.rows<Row>('read', sql)
  const rows = await read<{ id: string; cost: string | null; key_id: string }>('SELECT id, cost, key_id FROM %.request')
  const ids = new Set(rows.map(({ id }) => id))
  assert.equal(ids.size, rows.length)
  const missing = answered.filter(({ requestId }) => !ids.has(requestId))
  // A killed server loses what it had not written yet: nothing that ended before another request began which it wrote.
  const written = answered.filter(({ requestId, instance }) => instance === 0 && ids.has(requestId))
  assert.ok(written.length > 0)
  const lostFrom = Math.max(...written.map(({ startedAt }) => startedAt))
  assert.deepEqual(
    missing.filter(({ instance, endedAt }) => instance !== 0 || endedAt < lostFrom),
    [],
  )

  const sum = rows.reduce((total, { cost }) => total + BigInt(cost ?? 0), 0n)
  const [hours] = await read<{ cost: number; requests: number }>(
    'SELECT sum(cost) AS cost, sum(requests) AS requests FROM %.usage_hour',
  )
  assert.deepEqual([BigInt(hours!.cost), hours!.requests], [sum, rows.length])
  const accounts = await read<{ name: string; spent: number; reserved: number }>('SELECT * FROM %.account')
  for (const { name, spent, reserved } of accounts) {
    const [keyId] = JSON.parse(name) as [string]
    const paid = rows.filter((row) => row.key_id === keyId).reduce((total, { cost }) => total + BigInt(cost ?? 0), 0n)
    assert.deepEqual({ keyId, spent: BigInt(spent), reserved }, { keyId, spent: paid, reserved: 0 })
    if (keyId === poorKey) assert.ok(paid <= fromUsd('0.02'))
  }
  assert.deepEqual(await read('SELECT * FROM %.in_flight'), [])
  await store.close()
}

interface RunningServer {
  url: string
  child: ChildProcess
  /** The exit code. */
  ended: Promise<number | null>
  /** The lines that it wrote to standard error. */
  problems: string[]
}

async function startServer(database: string, redisUrl: string): Promise<RunningServer> {
  const program = join(import.meta.dirname, 'server-program.ts')
  const child = spawn(process.execPath, ['--conditions=@colloquy/source', program, database, redisUrl], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  after(() => child.kill('SIGKILL'))
  const problems: string[] = []
  child.stderr.setEncoding('utf8').on('data', (line: string) => {
    problems.push(line)
    process.stderr.write(line)
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const [url] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  return { url: url.trim(), child, ended, problems }
}

/** A client that sends each attempt to the next server in turn. */
function clientOf(
  urls: readonly string[],
  apiKey: string,
  index: number,
  maxRetries = 8,
  onAnswer?: (body: Anthropic.MessageCreateParams) => void,
): Anthropic {
  let turn = index
  const fetchInTurn: typeof fetch = async (input, init) => {
    const instance = turn++ % urls.length
    const { pathname, search } = new URL(input instanceof Request ? input.url : input)
    const response = await fetch(`${urls[instance]}${pathname}${search}`, init)
    if (response.ok && onAnswer) onAnswer((await new Response(init!.body).json()) as never)
    const headers = new Headers(response.headers)
    headers.set('x-instance', String(instance))
    return new Response(response.body, { status: response.status, headers })
  }
  return new Anthropic({ fetch: fetchInTurn, baseURL: 'http://servers.test', apiKey, maxRetries })
}

/** Sends the turns of a conversation. A stream that breaks is sent again, to the next server. */
async function converse(client: Anthropic, index: number, answered: Answered[]): Promise<void> {
  const messages: Anthropic.MessageParam[] = []
  for (let turn = 0; turn < turns; turn++) {
    messages.push({ role: 'user', content: `Conversation ${index}, question ${turn}: what is ${turn} + ${index}?` })
    const reply = await repeated(async () => {
      const params = {
        model: 'claude-sonnet-4-6',
        max_tokens: 200,
        messages,
        metadata: { user_id: `user-${index % 5}` },
      }
      const startedAt = Date.now()
      const stream = client.messages.stream(params)
      const { response } = await stream.withResponse()
      const message = await stream.finalMessage()
      const requestId = response.headers.get('request-id')!
      const instance = Number(response.headers.get('x-instance'))
      answered.push({ requestId, instance, startedAt, endedAt: Date.now() })
      return message
    })
    messages.push({ role: 'assistant', content: reply.content as Anthropic.ContentBlockParam[] })
  }
}

/** Repeats work that failed with an error that the client may retry. */
async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const isCut = error instanceof Anthropic.APIConnectionError || (error as { status?: number }).status === 529
      if (!isCut || attempt === 5) throw error
      await sleep(100)
    }
  }
}

function isOverBudget(error: unknown): boolean {
  return error instanceof Anthropic.RateLimitError && error.errorCode === 'enforced_spend_limit_reached'
}

/**
 * The limit lets through what its bucket holds at first, and what is refilled until the last of 30 requests. A server for which
 * Redis is too slow says so and counts alone: then the requests of another key are counted.
 */
async function checkLimit(servers: readonly RunningServer[], keys: Keys): Promise<void> {
  const urls = servers.map(({ url }) => url)
  const problems = (): number => servers.reduce((sum, server) => sum + server.problems.length, 0)
  let [before, answered, startedAt] = [-1, 0, 0]
  for (let attempt = 0; before !== problems(); attempt++) {
    const { secret } = await keys.create({ name: `slow-${attempt}`, limits: { requests_per_minute: limit } })
    before = problems()
    startedAt = performance.now()
    answered = await countAnswered(urls, secret)
  }
  const minutes = (performance.now() - startedAt) / 60_000
  assert.ok(
    answered >= limit && answered <= Math.floor(limit * (1 + minutes)),
    `${answered} of 30 requests passed a limit of ${limit} a minute in ${minutes} minutes`,
  )
}

/** The number of 30 requests that are answered, on all servers together. */
async function countAnswered(urls: readonly string[], apiKey: string): Promise<number> {
  const params = { model: 'claude-haiku-4-5', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hello' }] }
  const statuses = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      clientOf(urls, apiKey, index, 0)
        .messages.create(params)
        .then(
          () => 200,
          (error: unknown) => (error as { status?: number }).status,
        ),
    ),
  )
  return statuses.filter((status) => status === 200).length
}

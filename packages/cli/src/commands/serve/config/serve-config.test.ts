import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Keys } from '@colloquy/server/access'
import { openServerStore } from '@colloquy/server/store'
import { Anthropic } from 'colloquy'
import { Flags } from '../../../flags.ts'
import { serveConfig } from './serve-config.ts'
import { builtProgram } from '../../../../../../test/built-program.ts'
import { programEnvironment } from '../../../../../../test/program-environment.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-serve-config-'))
after(() => rmSync(folder, { recursive: true }))

interface Program {
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** Waits until the program has written something. */
  wrote(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<RegExpExecArray>
  ended: Promise<number | null>
}

/** Starts the program with a configuration, which later calls of `write` change. */
function serve(config: unknown, words: string[] = [], env: Record<string, string> = {}): Program {
  write(config)
  const child = spawn(process.execPath, [builtProgram, 'serve', '--config', 'colloquy.json', ...words], {
    cwd: folder,
    env: { ...programEnvironment, HOME: folder, ...env },
  })
  after(() => child.kill('SIGKILL'))
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (piece: string) => (text[name] += piece))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    ended,
    async wrote(pattern, stream = 'stdout') {
      for (;;) {
        const found = pattern.exec(text[stream])
        if (found) return found
        if (child.exitCode !== null) assert.fail(`It ended with ${child.exitCode}: ${text.stdout}${text.stderr}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  }
}

function write(config: unknown): void {
  writeFileSync(join(folder, 'colloquy.json'), typeof config === 'string' ? config : JSON.stringify(config, null, 2))
}

async function clientOf(program: Program, apiKey = 'any'): Promise<Anthropic> {
  const [baseURL] = await program.wrote(/http:\/\/127[^/\s]+/)
  return new Anthropic({ baseURL, apiKey, maxRetries: 0 })
}

async function ask(client: Anthropic, model: string): Promise<string> {
  return client.messages.stream({ model, max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] }).finalText()
}

function scripted(reply: string): object {
  return { type: 'script', steps: [{ reply, times: 1000 }] }
}

test('serve --config routes by model, checks keys, and logs the engines that were tried', async () => {
  const program = serve(
    {
      port: 0,
      engines: {
        busy: { type: 'script', steps: [{ error: { type: 'overloaded_error' }, times: 1000 }] },
        one: scripted('from one'),
        two: scripted('from two'),
      },
      routes: {
        'claude-haiku-*': 'two',
        mine: { to: { engine: 'one', model: 'claude-opus-5-5' } },
        '*': ['busy', 'one'],
      },
      models: [{ id: 'mine', like: 'claude-opus-5-5' }],
      keys: ['${TEAM_KEY}'],
    },
    [],
    { TEAM_KEY: 'sk-team' },
  )
  const client = await clientOf(program, 'sk-team')
  assert.deepEqual(
    [await ask(client, 'claude-haiku-4-5'), await ask(client, 'claude-opus-5-5'), await ask(client, 'mine')],
    ['from two', 'from one', 'from one'],
  )
  await assert.rejects(ask(await clientOf(program, 'sk-other'), 'claude-haiku-4-5'), { status: 401 })
  await program.wrote(/POST \/v1\/messages {2}200 {2}stream {2}claude-opus-5-5 {2}busy ✗ → one {2}.* local /)
  const { data } = await client.models.list()
  assert.ok(data.some(({ id }) => id === 'mine'))
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

test('serve --config with a console lets an admin key open it, and records its chats', async () => {
  const database = join(folder, 'console.db')
  const store = await openServerStore(database)
  const keys = new Keys(store.database)
  const admin = await keys.create({ name: 'operator', isAdmin: true })
  const other = await keys.create({ name: 'ada', budgets: [{ usd: '1', per: 'day' }] })
  const engines = { one: scripted('from one') }
  const program = serve({
    port: 0,
    database,
    console: true,
    lenient: true,
    engines,
    routes: { mine: 'one', '*': 'one' },
  })
  const { baseURL } = await clientOf(program)
  const signIn = (token: string): Promise<Response> =>
    fetch(`${baseURL}/api/session`, { method: 'POST', body: JSON.stringify({ token }) })
  assert.equal((await signIn(other.secret)).status, 401)
  // The model has no price, and its engine is free.
  assert.equal(await ask(await clientOf(program, other.secret), 'mine'), 'from one')
  assert.equal((await signIn('x')).status, 401)
  const [cookie] = (await signIn(admin.secret)).headers.get('set-cookie')!.split(';')
  const headers = { cookie: cookie!, 'content-type': 'application/json' }
  const post = (path: string, body: object): Promise<Response> =>
    fetch(baseURL + path, { method: 'POST', headers, body: JSON.stringify(body) })
  const get = async (path: string): Promise<unknown> => (await fetch(baseURL + path, { headers })).json()
  const { data } = (await get('/api/models')) as { data: { id: string }[] }
  assert.ok(data.some(({ id }) => id === 'mine'))
  const { id } = (await (await post('/api/conversations', { settings: { model: 'mine', max_tokens: 50 } })).json()) as {
    id: string
  }
  await (await post(`/api/conversations/${id}/send`, { content: 'Hi' })).text()
  // The page reads it when the reply has ended.
  assert.partialDeepStrictEqual(await get('/admin/usage?source=chat'), { total: { requests: 1 } })
  assert.partialDeepStrictEqual(await get('/api/session'), { open: true })
  // The session ends with its key.
  await keys.revoke('operator')
  assert.partialDeepStrictEqual(await get('/api/session'), { open: false })
  for (const path of ['/api/models', `/api/conversations/${id}`, '/admin/usage'])
    assert.equal((await fetch(baseURL + path, { headers })).status, 401, path)
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
  await store.close()
})

test('serve --config with a console of members lets every key open it, with the models that it may use', async () => {
  const database = join(folder, 'members.db')
  const store = await openServerStore(database)
  const { secret } = await new Keys(store.database).create({ name: 'ada', models: ['mine'] })
  await store.close()
  const engines = { one: scripted('from one') }
  const config = { port: 0, database, console: 'members', engines, routes: { mine: 'one', '*': 'one' } }
  const program = serve(config)
  const { baseURL } = await clientOf(program)
  const signIn = { method: 'POST', body: JSON.stringify({ token: secret }) }
  const cookie = (await fetch(`${baseURL}/api/session`, signIn)).headers.get('set-cookie')!.split(';')[0]!
  const response = await fetch(`${baseURL}/api/models`, { headers: { cookie } })
  assert.partialDeepStrictEqual(await response.json(), { data: [{ id: 'mine' }], defaults: { model: 'mine' } })
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
})

test('serve --config reads the file again on SIGHUP, and drops no request', async () => {
  const slow = { type: 'script', steps: [{ reply: 'slow reply', eventDelayMs: 150 }] }
  const config = { port: 0, engines: { slow, old: scripted('old') }, routes: { '*': 'old', 'claude-opus-*': 'slow' } }
  const program = serve(config, ['--quiet'])
  const client = await clientOf(program)
  const stream = client.messages.stream({
    model: 'claude-opus-5-5',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'Hi' }],
  })
  await new Promise((resolve) => stream.once('streamEvent', resolve))
  write({ port: 4, engines: { new: scripted('new') } })
  program.child.kill('SIGHUP')
  await program.wrote(/^Loaded colloquy\.json\.\nport has changed: it takes effect with a restart\.$/m, 'stderr')
  assert.equal(await ask(client, 'claude-haiku-4-5'), 'new')
  assert.equal(await stream.finalText(), 'slow reply')

  write({ port: 0, engines: { new: { type: 'ofline' } } })
  program.child.kill('SIGHUP')
  const kept =
    /^The earlier configuration stays in use: Cannot use colloquy\.json: colloquy\.json:\d+:\d+: engines\.new\.type/m
  await program.wrote(new RegExp(`${kept.source} is not known: did you mean offline\\?$`, 'm'), 'stderr')
  assert.equal(await ask(client, 'claude-haiku-4-5'), 'new')

  write('{ "port": 0,\n "engines"')
  program.child.kill('SIGHUP')
  await program.wrote(/^The earlier configuration stays in use: .*colloquy\.json:2:\d+: is not JSON: \w.*$/m, 'stderr')
  rmSync(join(folder, 'colloquy.json'))
  program.child.kill('SIGHUP')
  await program.wrote(/^The earlier configuration stays in use: Cannot read colloquy\.json: .*$/m, 'stderr')
  assert.equal(await ask(client, 'claude-haiku-4-5'), 'new')
  assert.equal(program.stderr().trimEnd().split('\n').length, 5)
  program.child.kill('SIGINT')
  assert.equal(await program.ended, 0)
})

test('serve --config refuses what cannot work, in one sentence and without secrets', async () => {
  process.env['COLLOQUY_TEST_HOST'] = 'user:secret-word@['
  after(() => delete process.env['COLLOQUY_TEST_HOST'])
  const path = join(folder, 'colloquy.json')
  for (const [config, more, message] of [
    [{ engines: { a: { type: 'api' } } }, {}, 'a: it has no apiKey, and ANTHROPIC_API_KEY is not set'],
    [{ engines: { a: { type: 'local', model: 'no.gguf' } } }, {}, `a: there is no file ${join(folder, 'no.gguf')}`],
    [{ engines: { a: { type: 'script' } } }, {}, 'a: it needs either steps or a file'],
    [{ engines: { a: { type: 'script', file: 'no.json' } } }, {}, 'a: cannot read the steps in '],
    [{ engines: { a: { type: 'script', steps: [{ oops: 1 }] } } }, {}, 'a: Cannot use step 1 of script()'],
    [
      { engines: { a: { type: 'chat', baseURL: 'http://${COLLOQUY_TEST_HOST}' } } },
      {},
      'a: Cannot use chatCompletions() as baseURL must be an address',
    ],
    [{ engines: { a: { type: 'offline' } } }, { engine: 'api' }, 'Cannot use --engine with --config: write it in'],
  ] as const) {
    write(config)
    const flags = new Flags(new Map<string, string | true>(Object.entries({ config: path, check: true, ...more })))
    await assert.rejects(serveConfig(flags), (error: Error) => {
      assert.equal(error.name, 'UsageError')
      assert.ok(error.message.includes(message), error.message)
      assert.ok(!error.message.includes('secret-word'), error.message)
      return true
    })
  }
})

test('serve --config refuses other machines without keys', async () => {
  const config = { engines: { a: { type: 'offline' } }, host: '0.0.0.0', database: ':memory:' }
  const program = serve(config, [])
  assert.equal(await program.ended, 2)
  assert.match(program.stderr(), /^Cannot listen on 0\.0\.0\.0 without keys: any machine on the network could use/)
})

test('serve answers /metrics and logs texts when told to, and warns of the latter', async () => {
  const config = { port: 0, engines: { one: scripted('A private reply.') }, metrics: true, log: 'json' }
  const program = serve(config, ['--log', 'full'])
  await program.wrote(/Warning: the log contains the text of all requests and replies\./, 'stderr')
  const client = await clientOf(program)
  await ask(client, 'claude-opus-5-5')
  await program.wrote(
    /^\{"requestId":"(req_\w+)","request":\{.*"Hi".*\n\{"requestId":"\1","reply":\{.*A private reply\./m,
  )
  await program.wrote(/^\{"at":.*"model":"claude-opus-5-5".*"attempts":\[\{"engine":"one"/m)
  const text = await (await fetch(`${client.baseURL}/metrics`)).text()
  assert.match(text, /^colloquy_engine_attempts_total\{engine="one",outcome="replied"\} 1$/m)
  program.child.kill('SIGTERM')
  assert.equal(await program.ended, 0)
  assert.equal(program.stdout().match(/A private reply\./g)?.length, 1)
})

test('serve --check says what a right configuration has, and starts nothing', async () => {
  const config = { engines: { a: { type: 'offline' }, b: scripted('x') }, routes: { '*': ['a', 'b'] } }
  const program = serve(config, ['--check'])
  assert.equal(await program.ended, 0, program.stderr())
  assert.equal(program.stdout(), 'colloquy.json is right: 2 engines (a, b), routes for *\n')
})

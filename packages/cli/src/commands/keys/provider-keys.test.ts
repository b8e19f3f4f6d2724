import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { after, beforeEach, mock, test } from 'node:test'
import { createServer } from '@colloquy/server'
import { openAccess } from '@colloquy/server/access'
import { listen } from '@colloquy/server/node'
import { openServerStore } from '@colloquy/server/store'
import { offline } from 'colloquy/engines'
import { chatKeyFor, keyAdvice } from '../../engine/credentials.ts'
import { connect } from '../../engine/connect.ts'
import { Flags } from '../../flags.ts'
import { useStoredKeys } from '../../engine/stored-keys.ts'
import { parse } from '../parse.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-provider-keys-'))
const file = join(folder, 'colloquy', 'keys.json')
const outside = { ...process.env }
after(() => {
  process.env = outside
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  process.env = { PATH: outside['PATH'], XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder }
  rmSync(join(folder, 'colloquy'), { recursive: true, force: true })
})

/** Runs a command in this process with an input from a pipe. Returns its standard output and standard error. */
async function run(line: string, input = ''): Promise<{ stdout: string; stderr: string }> {
  const { command, words, flags } = await parse(line.split(' '))
  const written = { stdout: '', stderr: '' }
  const stdin = mock.getter(process, 'stdin', () => Readable.from([input]) as typeof process.stdin)
  const writes = (['stdout', 'stderr'] as const).map((name) => {
    const pass = process[name].write.bind(process[name])
    return mock.method(process[name], 'write', (text: string | Uint8Array) => {
      // The reporter of the tests writes bytes.
      if (typeof text !== 'string') return pass(text)
      written[name] += text
      return true
    })
  })
  try {
    useStoredKeys(process.env)
    assert.equal(await command.run(words, flags), 0)
    return written
  } finally {
    for (const each of [stdin, ...writes]) each.mock.restore()
  }
}

const first = 'sk-ant-api03-first-secret-x7Qd'
const second = 'sk-ant-api03-second-secret-9aBc'

test('keys set keeps a key in a file that only its owner can read, and never shows it', async () => {
  const { stdout, stderr } = await run('keys set anthropic', `${first}\n`)
  assert.equal(stdout, `Saved anthropic (sk-ant-…x7Qd) in ${file}, which only you can read.\n`)
  assert.equal(stderr, '')
  assert.deepEqual([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777], [0o600, 0o700])
  await run('keys set work', second)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
    default: 'anthropic',
    keys: { anthropic: first, work: second },
  })
  const list = (await run('keys list')).stdout
  assert.equal(list, 'anthropic  sk-ant-…x7Qd  for Claude · default\nwork       sk-ant-…9aBc  for Claude\n')
  assert.doesNotMatch((await run('keys list --json')).stdout, /secret/)
})

test('keys set refuses a key on the command line, an empty one and one that cannot be right', async () => {
  const wrong = {
    'keys set': ['', /without a name/],
    'keys set a/b': ['', /without a name/],
    'keys set anthropic sk-ant-x': ['', /^Cannot take a key from the command line/],
    'keys set anthropic': ['\n', /^Cannot keep an empty key/],
    'keys set work': ['two words', /a space or a character that no key has$/],
  } as const
  for (const [line, [input, message]] of Object.entries(wrong)) {
    await assert.rejects(run(line, input), { message, exitCode: 2 })
  }
})

test('a stored key is used for Claude, unless the environment has one, and for no other server', async () => {
  await run('keys set anthropic', first)
  await run('keys set openai', 'sk-proj-for-chat-completions')
  useStoredKeys(process.env)
  assert.equal(process.env['ANTHROPIC_API_KEY'], first)
  assert.equal(process.env['OPENAI_API_KEY'], 'sk-proj-for-chat-completions')
  for (const [name, value] of [
    ['ANTHROPIC_API_KEY', 'sk-of-env'],
    ['ANTHROPIC_AUTH_TOKEN', 'token'],
    ['ANTHROPIC_BASE_URL', 'http://127.0.0.1:1'],
  ] as const) {
    const env: Record<string, string | undefined> = { XDG_CONFIG_HOME: folder, [name]: value }
    useStoredKeys(env)
    assert.equal(env['ANTHROPIC_API_KEY'], name === 'ANTHROPIC_API_KEY' ? value : undefined, name)
  }
  assert.deepEqual(await sentTo('url'), ['none', null])
  assert.deepEqual(await sentTo('chat'), [null, null])
  const named = (url: string): Variables => ({ OPENAI_BASE_URL: `${url}/v1` })
  assert.deepEqual(await sentTo('chat', named), [null, 'Bearer sk-proj-for-chat-completions'])
  assert.equal(
    keyAdvice({ kind: 'chat', url: 'http://127.0.0.1:1/v1' }),
    'Your stored key for OpenAI is not sent to other servers. Put the key of 127.0.0.1:1 into COLLOQUY_ENGINE_KEY.',
  )
  assert.equal(chatKeyFor('https://api.openai.com/v1', process.env), 'sk-proj-for-chat-completions')
})

test('a key of the environment is sent to an engine only if the environment names its server', async () => {
  const claude = { ANTHROPIC_API_KEY: 'sk-ant-of-env' }
  const token = { ANTHROPIC_AUTH_TOKEN: 'token-of-env' }
  const openAi = { OPENAI_API_KEY: 'sk-of-env' }
  assert.deepEqual(await sentTo('url', () => claude), ['none', null])
  assert.deepEqual(await sentTo('url', () => token), ['none', null])
  assert.deepEqual(await sentTo('chat', () => openAi), [null, null])
  const named = (url: string): Variables => ({ ANTHROPIC_BASE_URL: url, OPENAI_BASE_URL: `${url}/v1` })
  assert.deepEqual(await sentTo('url', (url) => ({ ...claude, ...named(url) })), ['sk-ant-of-env', null])
  assert.deepEqual(await sentTo('url', (url) => ({ ...token, ...named(url) })), [null, 'Bearer token-of-env'])
  assert.deepEqual(await sentTo('chat', (url) => ({ ...openAi, ...named(url) })), [null, 'Bearer sk-of-env'])
  const own = { ...claude, ...openAi, COLLOQUY_ENGINE_KEY: 'sk-own' }
  assert.deepEqual(await sentTo('url', () => own), ['sk-own', null])
  assert.deepEqual(await sentTo('chat', () => own), [null, 'Bearer sk-own'])
})

type Variables = Record<string, string>

/** The credentials that a server of `--engine` receives: `x-api-key` and `authorization`. */
async function sentTo(kind: 'url' | 'chat', variables: (url: string) => Variables = () => ({})): Promise<unknown[]> {
  const sent: (string | null)[][] = []
  const server = await listen({
    fetch: async ({ headers }: Request) => {
      sent.push([headers.get('x-api-key'), headers.get('authorization')])
      return new Response('no', { status: 401 })
    },
  })
  const before = { ...process.env }
  Object.assign(process.env, variables(server.url))
  try {
    const { engine } = await connect({ kind, url: server.url }, new Flags(new Map([['retries', '0']])))
    const params = { model: 'claude-haiku-4-5', max_tokens: 1, messages: [{ role: 'user' as const, content: 'Hi' }] }
    await assert.rejects(Array.fromAsync(engine(params)))
  } finally {
    process.env = before
    await server.close()
  }
  for (const each of sent) assert.deepEqual(each, sent[0])
  return sent[0]!
}

test('keys default chooses another key, and keys remove erases one', async () => {
  await run('keys set anthropic', first)
  assert.match((await run('keys set work', second)).stderr, /^anthropic stays the default: colloquy keys default work/)
  assert.equal((await run('keys default work')).stdout, 'work is the key for Claude from now on.\n')
  delete process.env['ANTHROPIC_API_KEY']
  assert.match((await run('keys list')).stdout, /^work +sk-ant-…9aBc {2}for Claude · default$/m)
  assert.equal((await run('keys remove work --yes')).stdout, 'Removed work.\n')
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { default: 'anthropic', keys: { anthropic: first } })
  await assert.rejects(run('keys default work'), { message: /^No key work is stored; found anthropic\./ })
})

test('a damaged file of keys is named, and not overwritten', async () => {
  await run('keys set anthropic', first)
  writeFileSync(file, '{')
  await assert.rejects(run('keys list'), {
    message: `Cannot read the keys in ${file}: it is not JSON with the field keys`,
  })
  assert.equal(readFileSync(file, 'utf8'), '{')
})

test('keys test shows the models and the rate limits of a key', async (t) => {
  const store = await openServerStore(':memory:')
  const access = await openAccess({ store })
  const limits = { requests_per_minute: 50, output_tokens_per_minute: 8_000 }
  const { secret } = await access.keys.create({ name: 'ada', limits })
  const server = await listen(createServer({ engine: offline(), access }))
  t.after(async () => {
    await server.close()
    await access.close()
    await store.close()
  })
  Object.assign(process.env, { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: secret })
  const { stdout } = await run('keys test')
  assert.match(stdout, /^ANTHROPIC_API_KEY works at http:.*\nmodels {2}\d+: claude-/)
  assert.match(stdout, /^limits {2}50 requests, 8,000 output tokens a minute with claude-haiku-/m)
  await run('keys set wrong', 'sk-colloquy-that-is-not-known')
  await assert.rejects(run('keys test wrong'), { status: 401 })
})

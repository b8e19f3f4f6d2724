import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { Anthropic } from 'colloquy'
import { builtProgram } from '../../../../../test/built-program.ts'
import { until } from '../../../../../test/until.ts'
import { programEnvironment } from '../../../../../test/program-environment.ts'

const folder = await mkdtemp(join(tmpdir(), 'colloquy-serve-'))
after(() => rm(folder, { recursive: true, force: true }))

interface Serving {
  url: string
  stdout(): string
  stderr(): string
  /** Stops reading what the program writes. */
  closeStdout(): void
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

function serve(...words: string[]): Promise<Serving> {
  return start('serve', words)
}

async function start(command: 'serve' | 'web', words: string[]): Promise<Serving> {
  const child = spawn(process.execPath, [builtProgram, command, '--port', '0', ...words], {
    env: { ...programEnvironment, HOME: folder },
  })
  // A server that a failed test left would keep this process alive.
  after(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const closed = once(child, 'close') as Promise<[number | null]>
  while (!stdout.includes('http://')) {
    if (child.exitCode !== null) assert.fail(`It ended with ${child.exitCode}: ${stderr}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return {
    url: /http:\/\/[^/\s]+/.exec(stdout)![0],
    stdout: () => stdout,
    stderr: () => stderr,
    closeStdout: () => void child.stdout.destroy(),
    async stop(signal = 'SIGINT') {
      child.kill(signal)
      return (await closed)[0]
    },
  }
}

function ask(url: string, apiKey = 'any'): Promise<unknown> {
  const client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 })
  return client.messages.create({
    model: 'claude-sonnet-5-5',
    max_tokens: 50,
    messages: [{ role: 'user', content: 'Hello' }],
  })
}

/** The status of a request with headers that clients do not let their callers set. */
async function status(url: string, headers: Record<string, string>): Promise<number | undefined> {
  const [response] = (await once(request(`${url}/v1/models`, { headers }).end(), 'response')) as [
    { statusCode?: number; resume(): void },
  ]
  response.resume()
  return response.statusCode
}

test('serve answers clients, logs a line for each request, and exits with 0', async () => {
  const serving = await serve()
  await ask(serving.url)
  assert.match(serving.stdout(), /export ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:\d+\n/)
  assert.equal(await serving.stop('SIGTERM'), 0)
  assert.match(
    serving.stdout(),
    /\n\d\d:\d\d:\d\d {2}POST \/v1\/messages {2}200 {2}claude-sonnet-5-5 {2}\d+→\d+ .* local {2}req_\w+\n$/,
  )
})

test('serve answers when its log cannot be written', async () => {
  const serving = await serve()
  serving.closeStdout()
  await ask(serving.url)
  await until(() => serving.stderr().includes('Cannot write the log: its reader has ended. Requests are answered'))
  await ask(serving.url)
  assert.equal(await serving.stop('SIGTERM'), 0)
})

test('serve refuses requests with a foreign Host or Origin header', async () => {
  const serving = await serve('--allow-host', 'box.local', '--quiet')
  assert.equal(await status(serving.url, { host: 'evil.example' }), 403)
  assert.equal(await status(serving.url, { origin: 'https://evil.example' }), 403)
  assert.notEqual(await status(serving.url, { host: 'localhost:4141' }), 403)
  assert.notEqual(await status(serving.url, { host: 'box.local' }), 403)
  assert.equal(await serving.stop(), 0)
})

test('serve --lenient answers for a retired model', async () => {
  const statusOf = async (...flags: string[]): Promise<number> => {
    const serving = await serve('--quiet', ...flags)
    const response = await fetch(`${serving.url}/v1/messages`, {
      method: 'POST',
      headers: { 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({
        model: 'claude-3-opus-20240229',
        max_tokens: 10,
        messages: [{ role: 'user', content: 'Hi' }],
      }),
    })
    assert.equal(await serving.stop(), 0)
    return response.status
  }
  assert.deepEqual([await statusOf(), await statusOf('--lenient')], [404, 200])
})

test('serve allows pages of this machine by CORS', async () => {
  const serving = await serve('--quiet')
  const { headers } = await fetch(`${serving.url}/healthz`, { headers: { origin: 'http://localhost:5173' } })
  assert.equal(headers.get('access-control-allow-origin'), 'http://localhost:5173')
  assert.equal(await serving.stop(), 0)
})

test('--key-file accepts only the keys of the file', async () => {
  const file = join(folder, 'keys')
  await writeFile(file, '# mine\nsk-one\n\nsk-two\n')
  const serving = await serve('--key-file', file)
  await ask(serving.url, 'sk-two')
  await assert.rejects(ask(serving.url, 'sk-three'), { status: 401 })
  await serving.stop()
})

test('serve refuses other machines without keys, and a port that is in use', async () => {
  await assert.rejects(serve('--host', '0.0.0.0'), /ended with 2: Cannot listen on 0\.0\.0\.0 without keys/)
  const serving = await serve()
  const port = new URL(serving.url).port
  await assert.rejects(serve('--port', port), new RegExp(`ended with 1: ${port} is in use by colloquy \\(pid \\d+\\)`))
  const other = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(other, 'listening')
  const taken = String((other.address() as AddressInfo).port)
  await assert.rejects(
    serve('--port', taken),
    new RegExp(`ended with 1: Port ${taken} is in use by another program\\. Try --port ${Number(taken) + 1}\\.`),
  )
  other.close()
  await serving.stop()
})

/** Runs a command to its end. */
async function run(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [builtProgram, ...words], {
    env: { ...programEnvironment, HOME: folder },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

test('serve and web share the chats of the terminal, and the link opens one session', async () => {
  const serving = await serve('--print-token', '--token-file', join(folder, 'token'))
  const token = /#k=(\S+)/.exec(serving.stdout())?.[1]
  const body = JSON.stringify({ token })
  const session = await fetch(`${serving.url}/api/session`, { method: 'POST', body })
  const cookie = session.headers.get('set-cookie')!.split(';')[0]!
  const created = await fetch(`${serving.url}/api/conversations`, { method: 'POST', headers: { cookie }, body: '{}' })
  const { id } = (await created.json()) as { id: string }
  const turn = await fetch(`${serving.url}/api/conversations/${id}/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${(await readFile(join(folder, 'token'), 'utf8')).trim()}` },
    body: JSON.stringify({ content: 'What is 6 * 7?' }),
  })
  assert.match(await turn.text(), /6 \* 7 = 42/)
  const usage = await fetch(`${serving.url}/admin/usage?source=chat`, { headers: { cookie } })
  assert.partialDeepStrictEqual(await usage.json(), { total: { requests: 1 } })
  assert.match((await run('chat', 'show', id)).stdout, /6 \* 7 = 42/)
  assert.equal((await fetch(`${serving.url}/api/session`, { method: 'POST', body })).status, 401)

  const { port } = new URL(serving.url)
  const busy = await run('serve', '--port', port)
  assert.match(busy.stderr, new RegExp(`^${port} is in use by colloquy \\(pid \\d+\\)\\. Open it: colloquy web`))
  assert.equal(busy.code, 1)
  const quiet = await run('web', '--port', port)
  assert.match(
    quiet.stdout,
    new RegExp(`^The console is at ${serving.url}/\\. For a link that opens it, run colloquy web`),
  )
  assert.doesNotMatch(quiet.stdout + quiet.stderr, /#k=/)
  const opened = await run('web', '--port', port, '--print-token')
  assert.equal(opened.code, 0)
  const other = /#k=(\S+)/.exec(opened.stdout)?.[1]
  const again = await fetch(`${serving.url}/api/session`, { method: 'POST', body: JSON.stringify({ token: other }) })
  assert.equal(again.status, 204)
  assert.equal(await serving.stop(), 0)
})

test('web gives its chats the tools of MCP servers, which run when a reader asks', async () => {
  const file = join(folder, 'servers.json')
  const numbers = { command: process.execPath, args: [join(import.meta.dirname, '../../mcp/test-server.ts')] }
  await writeFile(file, JSON.stringify({ mcpServers: { n: numbers, gone: { command: 'no-such-program' } } }))
  const token = join(folder, 'web-token')
  const words = ['--engine', 'offline', '--mcp', file, '--allow-tool', 'n__fail', '--token-file', token]
  const serving = await start('web', words)
  await until(() => serving.stdout().includes('Data'))
  assert.match(serving.stdout(), /Tools {5}\d+ tools\n {2}✗ Cannot use the MCP server gone: /)
  const headers = { authorization: `Bearer ${(await readFile(token, 'utf8')).trim()}` }
  const call = async (path: string, body?: object): Promise<Response> => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    return fetch(`${serving.url}/api/${path}`, { ...init, headers })
  }
  const { data } = (await (await call('tools')).json()) as { data: { name: string; runsUnasked: boolean }[] }
  const unasked = data.filter((tool) => tool.runsUnasked).map(({ name }) => name)
  assert.deepEqual(unasked, ['n__fail'])
  assert.ok(data.length > 1)
  const { id } = (await (await call('conversations', {})).json()) as { id: string }
  await (await call(`conversations/${id}/send`, { content: 'Use n__add.' })).text()
  const { waitingCalls } = (await (await call(`conversations/${id}`)).json()) as { waitingCalls: string[] }
  const result = await (await call(`conversations/${id}/calls/${waitingCalls[0]}/run`, {})).json()
  assert.partialDeepStrictEqual(result, { type: 'tool_result', tool_use_id: waitingCalls[0] })
  assert.match(JSON.stringify(result), /"text":"-?\d+"/)
  const again = await run('web', '--port', new URL(serving.url).port, '--mcp', file)
  assert.match(again.stderr, /^Without the tools of --mcp: the console is served already/m)
  // A program of a server that continues would hold the output open.
  assert.equal(await serving.stop(), 0)
})

test('serve prints no token without a terminal, and leaves out the console or the API', async () => {
  const withoutConsole = await serve('--no-console')
  assert.doesNotMatch(withoutConsole.stdout(), /Console|#k=/)
  assert.equal((await fetch(`${withoutConsole.url}/api/conversations`)).status, 404)
  assert.equal(await withoutConsole.stop(), 0)
  const withoutApi = await serve('--no-api')
  assert.match(withoutApi.stdout(), /Console {3}http:\/\/\S+\/ {3}\(colloquy web opens it\)/)
  await assert.rejects(ask(withoutApi.url), { status: 404 })
  assert.equal((await fetch(`${withoutApi.url}/api/conversations`)).status, 401)
  assert.equal(await withoutApi.stop(), 0)
})

test('serve --testing takes a script over HTTP, on this machine only', async () => {
  const serving = await serve('--testing', '--quiet', '--no-console')
  await fetch(`${serving.url}/testing/script`, { method: 'POST', body: JSON.stringify(['Scripted.']) })
  assert.partialDeepStrictEqual(await ask(serving.url), { content: [{ type: 'text', text: 'Scripted.' }] })
  const seen = (await (await fetch(`${serving.url}/testing/requests`)).json()) as { requests: object[] }
  assert.equal(seen.requests.length, 1)
  assert.partialDeepStrictEqual(await ask(serving.url), { type: 'message', stop_reason: 'end_turn' })
  assert.equal(await serving.stop(), 0)
  await assert.rejects(serve('--testing', '--host', '0.0.0.0'), /ended with 2: Cannot use --testing on 0\.0\.0\.0/)
})

test(
  'serve on another loopback address needs no key, and serves the console',
  { skip: process.platform !== 'linux' },
  async () => {
    const serving = await serve('--host', '127.0.0.2')
    assert.match(serving.url, /^http:\/\/127\.0\.0\.2:\d+$/)
    assert.partialDeepStrictEqual(await ask(serving.url), { type: 'message', stop_reason: 'end_turn' })
    assert.match(serving.stdout(), /Console {3}http:\/\/127\.0\.0\.2:\d+\//)
    assert.equal((await fetch(`${serving.url}/`)).status, 200)
    assert.equal(await status(serving.url, { host: 'evil.example' }), 403)
    assert.equal(await status(serving.url, { origin: 'http://evil.example' }), 403)
    assert.equal(await serving.stop(), 0)
  },
)

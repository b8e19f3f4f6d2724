// Clients by others against the server: two streamed turns, of which the first uses a tool. Those that the repository does not
// have are skipped with a message; COLLOQUY_RUNTIMES=fetch fetches them.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openServerStore } from '@colloquy/server/store'
import { type TestServer, testServer } from '@colloquy/server/testing'
import { offline } from 'colloquy/engines'
import type { MessageCreateParams } from 'colloquy/protocol'
import { cache, find } from '../runtimes/downloads.ts'
import { root } from '../source.ts'
import { findPython } from './python.ts'

const programs = join(root, 'test/clients/programs')

/** A server that calls a tool once. Requests without the tool, such as those for a title, get some reply. */
async function serverWithTool(t: TestContext, tool: string): Promise<TestServer> {
  const when = (params: MessageCreateParams): boolean => hasTool(params, tool)
  const call = { type: 'tool_use' as const, id: 'toolu_01ABCDEFGHJKLMNPQRSTUV', name: tool, input: { city: 'Oslo' } }
  const content = [{ type: 'text' as const, text: 'I look. ', citations: null }, call]
  const script = [
    { when, reply: { content } },
    { when, reply: 'It snows.' },
    { when, reply: 'You are welcome.' },
  ]
  return testServer({ script, engine: offline() }, t)
}

function hasTool({ tools = [] }: MessageCreateParams, name: string): boolean {
  return tools.some((tool) => 'name' in tool && tool.name === name)
}

/** Runs a program beside the packages of a client, with a home of its own, and returns its output. */
async function runProgram(t: TestContext, name: string, modules: string, url: string): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'colloquy-clients-'))
  mkdirSync(modules, { recursive: true })
  const project = mkdtempSync(join(modules, 'project-'))
  t.after(() => [home, project].forEach((folder) => rmSync(folder, { recursive: true, force: true })))
  copyFileSync(join(programs, name), join(project, name))
  return run(process.execPath, [join(project, name)], {
    HOME: home,
    COLLOQUY_URL: url,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'any',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  })
}

function run(program: string, parameters: string[], env: Record<string, string>): Promise<string> {
  const options = { timeout: 90_000, env: { PATH: process.env['PATH'], ...env } }
  return new Promise((resolve, reject) => {
    const child = execFile(program, parameters, options, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stdout}\n${stderr}`)) : resolve(stdout),
    )
    child.stdin!.end()
  })
}

async function converses(t: TestContext, program: string, modules: string, tool = 'weather'): Promise<void> {
  const server = await serverWithTool(t, tool)
  const output = await runProgram(t, program, modules, server.url)
  assert.deepEqual(JSON.parse(output), ['I look. It snows.', 'You are welcome.'])
  const params = server.requests.flatMap((request) =>
    request.params && hasTool(request.params, tool) ? [request.params] : [],
  )
  assert.equal(server.remaining, 0)
  assert.deepEqual(
    params.map(({ stream }) => stream),
    [true, true, true],
  )
  assert.match(JSON.stringify(params[1]!.messages.at(-1)), /"tool_result".*Snow in Oslo|Snow in Oslo.*"tool_result"/)
  assert.match(JSON.stringify(params[2]!.messages), /Snow in Oslo.*It snows\..*Thanks/)
}

test('the official client 1.14.0 has turns with a tool', (t) => converses(t, 'sdk.mjs', cache))

const clients = [
  ['Anthropic SDK 0.120.0', 'sdk.mjs', 'weather'],
  ['AI SDK 7.0.173', 'ai.mjs', 'weather'],
  ['LangChain 1.5.11', 'langchain.mjs', 'weather'],
  ['Claude Agent SDK 0.3.332', 'agent.mjs', 'mcp__city__weather'],
] as const

for (const [name, program, tool] of clients) {
  const { program: found = '', skip } = find(name)
  const modules = found.slice(0, found.lastIndexOf('node_modules'))
  test(`${name} has turns with a tool`, { skip, timeout: 120_000 }, (t) => converses(t, program, modules, tool))
}

const python = findPython()
test('the official Python client passes its tests with pytest', { skip: python.skip, timeout: 120_000 }, async (t) => {
  const store = await openServerStore(':memory:')
  t.after(() => store.close())
  const server = await testServer({ store, batches: { pollMs: 20, concurrency: 1 } }, t)
  const parameters = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', join(programs, 'test_colloquy.py')]
  const output = await run(python.program!, parameters, { COLLOQUY_URL: server.url, PYTHONDONTWRITEBYTECODE: '1' })
  assert.match(output, /5 passed/)
})

// Claude Code on a model that is not Claude: its print mode, through a server whose routes map `claude-*`.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Engine, type ScriptEngine, script } from 'colloquy/engines'
import type { MessageCreateParams } from 'colloquy/protocol'
import { find } from '../runtimes/downloads.ts'
import { root } from '../source.ts'
import { startChatServer } from './chat-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'colloquy-claude-code-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const { program, skip } = find('Claude Code 2.1.329')

/** Runs a server with a configuration, and returns its address. */
async function serve(config: object): Promise<string> {
  const path = join(folder, 'colloquy.json')
  writeFileSync(path, JSON.stringify({ port: 0, ...config }))
  const main = join(root, 'packages/cli/src/main.ts')
  const child = spawn(process.execPath, ['--conditions=@colloquy/source', main, 'serve', '--config', path], {
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  after(() => child.kill('SIGKILL'))
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const [url] = /http:\/\/127[^/\s]+/.exec(output) ?? []
      if (url !== undefined) resolve(url)
    })
    child.on('exit', (code) => reject(new Error(`The server ended with ${code}: ${output}`)))
  })
}

interface ClaudeResult {
  is_error: boolean
  result: string
  num_turns: number
}

/** Asks Claude Code in print mode, with a home and a working folder of its own and without other traffic. */
async function claude(url: string, prompt: string): Promise<ClaudeResult> {
  const stdout = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      program!,
      ['-p', prompt, '--output-format', 'json', '--allowedTools', 'Bash(echo *)', '--model', 'claude-sonnet-4-6'],
      {
        cwd: folder,
        timeout: 60_000,
        env: {
          PATH: process.env['PATH'],
          HOME: folder,
          ANTHROPIC_BASE_URL: url,
          ANTHROPIC_API_KEY: 'any',
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          DISABLE_AUTOUPDATER: '1',
          DISABLE_TELEMETRY: '1',
        },
      },
      (error, out, stderr) => (error ? reject(new Error(`${error.message}\n${out}\n${stderr}`)) : resolve(out)),
    )
    child.stdin!.end()
  })
  return JSON.parse(stdout) as ClaudeResult
}

/** A model that runs a command with Bash, and repeats what the command printed. */
function modelWithBash(): ScriptEngine {
  return script([
    {
      when: ({ messages }) => resultOf(messages) === undefined,
      // The engine may also ask only to count the prompt.
      times: 10,
      reply: {
        content: [
          { type: 'text', text: 'I run a command.', citations: null },
          {
            type: 'tool_use',
            id: 'toolu_01ABCDEFGHJKLMNPQRSTUV',
            name: 'Bash',
            input: { command: 'echo sum-$((20+22))', description: 'Calculate' },
          },
        ],
      },
    },
    { reply: 'The command was run.', times: 10 },
  ])
}

function resultOf(messages: MessageCreateParams['messages']): unknown {
  const { content } = messages.at(-1)!
  if (typeof content === 'string') return undefined
  return content.find(({ type }) => type === 'tool_result')
}

test(
  'Claude Code has a turn with Bash on a model behind a Chat Completions server',
  { skip, timeout: 90_000 },
  async (t) => {
    const model: ScriptEngine = modelWithBash()
    const { baseURL, close } = await startChatServer(model satisfies Engine)
    t.after(close)
    const url = await serve({
      engines: { gpu: { type: 'chat', baseURL, model: 'qwen3-coder' } },
      routes: { 'claude-*': 'gpu' },
    })
    const { is_error: isError, result, num_turns: turns } = await claude(url, 'Calculate 20 + 22 with Bash.')
    assert.deepEqual([isError, result, turns], [false, 'The command was run.', 2])
    assert.ok(model.requests.every(({ params }) => params.model === 'qwen3-coder'))
    assert.match(JSON.stringify(resultOf(model.requests.at(-1)!.params.messages)), /sum-42/)
  },
)

test('Claude Code has a turn with Bash on scripted replies', { skip, timeout: 90_000 }, async () => {
  const bash = { type: 'tool_use', name: 'Bash', input: { command: 'echo hi', description: 'Say hi' } }
  const url = await serve({
    engines: { scripted: { type: 'script', steps: [{ reply: { content: [bash] } }, 'Bash said hi.'] } },
    routes: { 'claude-*': 'scripted' },
    lenient: true,
  })
  const { is_error: isError, result, num_turns: turns } = await claude(url, 'Say hi with Bash.')
  assert.deepEqual([isError, result, turns], [false, 'Bash said hi.', 2])
})

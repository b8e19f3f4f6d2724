// Claude Code on a model that is not Claude: its print mode, through a server whose routes map `claude-*`.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { hasRuntime } from '@colloquy/llama'
import { type Engine, type ScriptEngine, script } from 'colloquy/engines'
import type { MessageCreateParams } from 'colloquy/protocol'
import { find } from '../runtimes/downloads.ts'
import { root } from '../source.ts'
import { startChatServer } from './chat-server.ts'
import { fetchRuntime, runtimeFolder } from './local-model.ts'
import { writeScriptedModel } from './scripted-model.ts'

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
  /** The tokens of all requests. */
  usage: { input_tokens: number; cache_read_input_tokens: number }
}

/** Asks Claude Code in print mode, with a home and a working folder of its own and without other traffic. */
async function claude(url: string, prompt: string): Promise<ClaudeResult> {
  const stdout = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      program!,
      ['-p', prompt, '--output-format', 'json', '--allowedTools', 'Bash(echo *)', '--model', 'claude-sonnet-4-6'],
      {
        cwd: folder,
        timeout: 200_000,
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
  { skip, timeout: 120_000 },
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

test('Claude Code has a turn with Bash on scripted replies', { skip, timeout: 120_000 }, async () => {
  const bash = { type: 'tool_use', name: 'Bash', input: { command: 'echo hi', description: 'Say hi' } }
  const url = await serve({
    engines: { scripted: { type: 'script', steps: [{ reply: { content: [bash] } }, 'Bash said hi.'] } },
    routes: { 'claude-*': 'scripted' },
    lenient: true,
  })
  const { is_error: isError, result, num_turns: turns } = await claude(url, 'Say hi with Bash.')
  assert.deepEqual([isError, result, turns], [false, 'Bash said hi.', 2])
})

await fetchRuntime()

/** The model reads 50,000 tokens, which takes a processor ten seconds. */
function notOnFile(): string | false {
  if (skip !== false) return skip
  if (process.env['COLLOQUY_LONG'] !== '1') return 'NOT TESTED: takes long; COLLOQUY_LONG=1 runs it'
  return hasRuntime(runtimeFolder) ? false : 'NOT TESTED: the runtime for model files is not here'
}

test('Claude Code has a turn with Bash on a model file', { skip: notOnFile(), timeout: 240_000 }, async () => {
  const model = join(folder, 'scripted.gguf')
  // The shell calculates the number, so the model finds it only in the result of the command.
  const command = '{"command": "echo sum-$((20+22))"}'
  writeScriptedModel(model, {
    first: ['<tool_call>\n{"name": "', 'Bash', '", "arguments": ', command, '}\n</tool_call>'],
    until: 'sum-42',
    then: ['The command ', 'was run.'],
    words: words(),
  })
  const data = join(folder, '.local/share/colloquy')
  mkdirSync(data, { recursive: true })
  symlinkSync(runtimeFolder, join(data, 'runtime'))
  const url = await serve({
    engines: { local: { type: 'local', model, contextSize: 65_536, threads: 1 } },
    routes: { 'claude-*': 'local' },
  })
  const { is_error: isError, result, num_turns: turns, usage } = await claude(url, 'Calculate 20 + 22 with Bash.')
  assert.deepEqual([isError, result, turns], [false, 'The command was run.', 2])
  const { input_tokens: read, cache_read_input_tokens: kept } = usage
  assert.ok(read > 15_000, `the prompt has ${read} tokens`)
  assert.ok(kept > 15_000, `the second request keeps ${kept} tokens`)
})

/** Words of English text, with the space before them. */
function words(): Set<string> {
  const texts = globSync('docs/*.md', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'))
  return new Set(texts.join(' ').match(/ [a-z]{2,}/gi))
}

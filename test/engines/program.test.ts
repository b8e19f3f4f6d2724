import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { offline } from 'colloquy/engines'
import { root } from '../source.ts'
import { startChatServer } from './chat-server.ts'
import { localModel, runtimeFolder } from './local-model.ts'

const home = await mkdtemp(join(tmpdir(), 'colloquy-models-'))
after(() => rm(home, { recursive: true, force: true }))

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

function colloquy(words: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const main = join(root, 'packages/cli/src/main.ts')
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['--conditions=@colloquy/source', main, ...words],
      { env: { PATH: process.env['PATH'], HOME: home, ...env } },
      (error, stdout, stderr) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
    child.stdin!.end()
  })
}

/** A GGUF header that says that it is a chat model. */
function ggufHeader(): Buffer {
  const long = (value: number): Buffer => Buffer.from(new BigUint64Array([BigInt(value)]).buffer)
  const int = (value: number): Buffer => Buffer.from(new Uint32Array([value]).buffer)
  const text = (value: string): Buffer => Buffer.concat([long(value.length), Buffer.from(value)])
  const pair = (key: string, value: string): Buffer => Buffer.concat([text(key), int(8), text(value)])
  return Buffer.concat([
    Buffer.from('GGUF'),
    int(3),
    long(0),
    long(2),
    pair('general.name', 'Tiny'),
    pair('tokenizer.chat_template', '{{ messages }}'),
  ])
}

test('--engine chat:URL talks to a Chat Completions server', async () => {
  const { baseURL, close } = await startChatServer(offline())
  const { code, stdout, stderr } = await colloquy(['ask', '--no-save', '--engine', `chat:${baseURL}`, 'What is 6 * 7?'])
  await close()
  assert.deepEqual([code, stdout, stderr], [0, '6 * 7 = 42\n', ''])
})

test('an engine that does not exist, and a model that is not there, are one sentence', async () => {
  const wrong = await colloquy(['ask', '--engine', 'nonsense', 'Hi'])
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /^Cannot use --engine nonsense: it must be api, offline, local/m)
  const none = await colloquy(['ask', '--engine', 'local', 'Hi'])
  assert.equal(none.code, 2)
  assert.match(none.stderr, /no model has been chosen/)
})

test('models local lists what is here and what can be fetched; get, use and remove refuse other names', async () => {
  const { code, stdout } = await colloquy(['models', 'local'])
  assert.equal(code, 0)
  assert.match(stdout, /No model was found on this machine\./)
  assert.match(stdout, /smollm2 · SmolLM2 135M · 98 MB · Apache-2\.0$/m)
  assert.match(stdout, /qwen2\.5-1\.5b .* not tried by us$/m)
  for (const words of [
    ['get', 'nonsense'],
    ['use', 'nonsense'],
    ['remove', 'nonsense'],
  ]) {
    const refused = await colloquy(['models', ...words])
    assert.equal(refused.code, 2, refused.stderr)
    assert.match(refused.stderr, /nonsense|none that was fetched/)
  }
})

test('in a pipe nothing is fetched: the offline engine replies', async () => {
  const { stdout } = await colloquy(['ask', '--no-save', 'What is 6 * 7?'])
  assert.equal(stdout, '6 * 7 = 42\n')
})

const path = await localModel()

test(
  'models use chooses a file, which replies without a key',
  { skip: path ? false : 'NOT RUN: no model' },
  async () => {
    const data = join(home, '.local/share/colloquy')
    await colloquy(['chat', 'list'])
    await symlink(runtimeFolder, join(data, 'runtime'))
    const used = await colloquy(['models', 'use', path!])
    assert.equal(used.code, 0, used.stderr)
    const { code, stdout, stderr } = await colloquy(['ask', '--no-save', '--max-tokens', '12', 'Say hello.'])
    assert.equal(code, 0, stderr)
    assert.ok(stdout.trim().length > 0)
    // In an environment of tests the rule-based engine replies, unless it is told otherwise.
    const inTests = await colloquy(['ask', '--no-save', 'What is 6 * 7?'], { CI: 'true' })
    assert.equal(inTests.stdout, '6 * 7 = 42\n')
    const broken = join(home, 'broken.gguf')
    await writeFile(broken, ggufHeader())
    const failed = await colloquy(['ask', '--no-save', '--retries', '0', '--engine', broken, 'Hi'])
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /Cannot load broken\.gguf/)
  },
)

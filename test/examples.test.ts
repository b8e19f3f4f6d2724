import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { script } from 'colloquy/engines'
import type { ContentBlockParam, MessageParam } from 'colloquy/protocol'
import { type Outcome, type RunOptions, run } from './program.ts'
import { read, root } from './source.ts'

const names = globSync('examples/*.ts', { cwd: root })
  .map((file) => basename(file, '.ts'))
  .toSorted()

test('each example has at most 40 lines and a row in the list', () => {
  assert.equal(names.length, 15)
  for (const name of names) {
    assert.ok(read(`examples/${name}.ts`).trimEnd().split('\n').length <= 40, name)
    assert.match(read('examples/README.md'), new RegExp(`\\(${name}\\.ts\\)`))
  }
})

test('01 prints the reply to a first message', async () => {
  const { stdout, requests } = await example('01-first-message')
  assert.deepEqual(
    requests.map(({ params }) => params.messages),
    [[{ role: 'user', content: 'Hello, Claude' }]],
  )
  assert.match(stdout, /\w+/)
})

test('02 sends the whole conversation with each request', async () => {
  const { stdout, requests } = await example('02-trip-planning')
  assert.deepEqual(lengths(requests), [1, 3, 5])
  assertGrows(requests)
  assert.match(stdout, /you love history and food/)
  assert.match(stdout, /6 messages\n$/)
})

test('03 sends the system prompt with every request', async () => {
  const { requests } = await example('03-system-prompt')
  assert.deepEqual(lengths(requests), [1, 3, 5])
  assert.match(JSON.stringify(requests[0]!.params.system), /travel agent/)
  for (const { params } of requests) assert.deepEqual(params.system, requests[0]!.params.system)
})

test('04 asks questions that refer to earlier replies', async () => {
  const { stdout, requests } = await example('04-tutor')
  assertGrows(requests)
  assert.match(stdout, /17 \* 24 = 408/)
  assert.match(stdout, /408\)? \/ 8 = 51/)
  assert.match(stdout, /“What is 17 \* 24\?”/)
})

test('05 prints the reply as it arrives and the tokens at the end', async () => {
  const { stdout, requests } = await example('05-streaming')
  assert.equal(requests[0]!.params.stream, true)
  const [, input, output] = /\n\n\[Tokens: (\d+) in, (\d+) out\]\n$/.exec(stdout)!
  assert.ok(Number(input) > 5 && Number(output) > 5)
})

test('06 prints tokens by kind and exact dollars', async () => {
  const { stdout } = await example('06-usage-and-cost', { engine: script([priced]) })
  assert.match(stdout, /^input: +1000\ncache write: 2000\ncache read: +4000\noutput: +500\ncost: +\$0\.0192\n$/)
})

test('07 distinguishes a cut reply from a complete one', async () => {
  const { stdout } = await example('07-max-tokens')
  assert.match(stdout, /^max_tokens 10 → max_tokens after 10 tokens \(cut off/)
  assert.match(stdout, /^max_tokens 1000 → end_turn after \d+ tokens \(complete/m)
})

test('08 stops at a stop sequence and omits it', async () => {
  const { stdout } = await example('08-stop-sequences')
  assert.match(stdout, /^[^.!]+\nstop_reason: stop_sequence, stop_sequence: "[.!]"\n$/)
})

test('09 retries after 429 and 529 and then succeeds', async () => {
  const engine = script([
    { error: { type: 'rate_limit_error' } },
    { error: { type: 'overloaded_error' } },
    'Scattering.',
  ])
  const { stdout, stderr, requests } = await example('09-errors', { engine })
  assert.equal(stdout, 'Scattering.\n')
  assert.match(
    stderr,
    /^429 [^]*rate_limit_error[^]*attempt 2 of 5 in \d+ ms\n529 [^]*overloaded_error[^]*attempt 3 of 5 in \d+ ms\n$/,
  )
  assert.equal(requests.length, 3)
})

test('09 explains errors that a retry cannot fix', async () => {
  const refused = await example('09-errors', { keys: ['sk-another'], fails: true })
  assert.match(refused.stderr, /^The key is not valid/)
  const wrong = await example('09-errors', { parameters: [' '], fails: true })
  assert.match(wrong.stderr, /^The request is not valid: 400 .*non-whitespace/)
  const unpaid = script([{ error: { type: 'billing_error', message: 'No credit is left.' } }])
  const failed = await example('09-errors', { engine: unpaid, fails: true })
  assert.match(failed.stderr, /^The API failed \(402\): .*No credit is left/)
  assert.equal(failed.requests.length, 1)
})

test('10 sends an opaque user id', async () => {
  const { requests } = await example('10-user-id')
  assert.match(requests[0]!.params.metadata!.user_id!, /^[0-9a-f]{64}$/)
})

test('11 sends the beta header with its request', async () => {
  const { stdout, requests } = await example('11-long-context')
  assert.deepEqual(requests[0]!.context.betas, ['context-1m-2025-08-07'])
  assert.match(stdout, /\d{5,} tokens in, request req_\w+\n$/)
})

test('12 prints tokens and cost after each turn and keeps the history', async () => {
  const { stdout, requests } = await example('12-senior-engineer', {
    input: 'What is 6 * 7?\nWhat was my first question?\n\n',
  })
  assert.deepEqual(lengths(requests), [1, 3])
  assert.match(stdout, /“What is 6 \* 7\?”/)
  assert.equal(stdout.match(/^\[Tokens: \d+ in, \d+ out \| Cost: \$0\.\d{4}\]$/gm)?.length, 2)
})

test('13 answers the tool call and gets a reply with the result', async () => {
  const { stdout, requests } = await example('13-tool-by-hand')
  assert.equal(requests.length, 2)
  assertToolTurn(requests[1]!.params.messages)
  assert.match(stdout, /\[get_weather \{"city":".+"\}\][^]*24 °C/)
})

test('14 does the same with a conversation', async () => {
  const { stdout, requests } = await example('14-tool-in-a-conversation')
  assert.equal(requests.length, 2)
  assertToolTurn(requests[1]!.params.messages)
  assert.match(stdout, /24 °C[^]*\n4 messages, \$0\.\d+\n$/)
})

test('15 rejoins a turn after a lost connection', async () => {
  const { stdout } = await example('15-page-of-your-own')
  assert.match(stdout, /^.{20,}…\nstopped: false\ncommitted \[/s)
})

/** One million tokens of each kind would cost $3, $3.75, $0.30 and $15. */
const priced = {
  content: 'Three uses.',
  usage: {
    input_tokens: 1000,
    cache_creation_input_tokens: 2000,
    cache_read_input_tokens: 4000,
    output_tokens: 500,
  },
}

async function example(
  name: string,
  { fails = false, ...options }: RunOptions & { fails?: boolean } = {},
): Promise<Outcome> {
  const outcome = await run(join(root, `examples/${name}.ts`), options)
  assert.equal(outcome.code, fails ? 1 : 0, outcome.stderr)
  return outcome
}

function lengths(requests: Outcome['requests']): number[] {
  return requests.map(({ params }) => params.messages.length)
}

/** Asserts that each request begins with all messages of the previous one. */
function assertGrows(requests: Outcome['requests']): void {
  for (const [index, { params }] of requests.slice(1).entries()) {
    const before = requests[index]!.params.messages
    assert.deepEqual(params.messages.slice(0, before.length), before)
    assert.equal(params.messages[before.length]!.role, 'assistant')
  }
}

function assertToolTurn(messages: MessageParam[]): void {
  const calls = blocks(messages[1]!).filter((block) => block.type === 'tool_use')
  const results = blocks(messages[2]!).filter((block) => block.type === 'tool_result')
  assert.equal(calls.length, 1)
  assert.deepEqual(
    results.map((block) => block.tool_use_id),
    calls.map((block) => block.id),
  )
}

function blocks(message: MessageParam): ContentBlockParam[] {
  return typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content
}

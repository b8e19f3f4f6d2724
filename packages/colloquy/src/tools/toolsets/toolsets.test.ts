import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { script } from '../../engines/script.ts'
import type { Message, ToolUseBlock } from '../../protocol/types/message.ts'
import { type CallOptions, answerCall, answerCalls } from '../call.ts'
import { runTools } from '../run.ts'
import { BrowserToolset, type BrowserToolsetOptions, ComputerToolset, ToolsetConfigError } from './index.ts'

const tab = { tab_id: 't1', title: 'One', url: 'https://one.example/', active: true }

class Browser extends BrowserToolset {
  readonly visited: string[] = []

  constructor(options: Partial<BrowserToolsetOptions> = {}) {
    super({ browserState: () => ({ tabs: [tab] }), ...options })
  }

  protected override async navigate(_: unknown, { url }: { url: string }): Promise<{ url: string }> {
    if (url === 'slow') await sleep(50)
    if (url === 'broken') throw new Error('no network')
    this.visited.push(url)
    return { url }
  }
}

function call(url: string, id = `toolu_${url}`): ToolUseBlock {
  return { type: 'tool_use', id, toolset_name: 'browser', name: 'navigate', input: { url } }
}

function asks(...calls: ToolUseBlock[]): { content: Message['content']; stop_reason: 'tool_use' } {
  return { content: calls, stop_reason: 'tool_use' }
}

const params = { model: 'm', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Look' }] }

test('runTools() runs the calls of a toolset in order, and none after one that failed', async () => {
  const browser = new Browser()
  const engine = script([asks(call('slow'), call('a'), call('broken'), call('b')), 'Done'])
  const items = await Array.fromAsync(runTools(engine, { ...params, tools: [browser] }))
  const results = items.flatMap((item) => (item.type === 'results' ? [item.message.content].flat() : [])) as {
    content: unknown
  }[]
  assert.deepEqual(browser.visited, ['slow', 'a'])
  assert.deepEqual(
    results.map(({ content }) => (Array.isArray(content) ? (content as { text?: string }[])[0]!.text : content)),
    [
      'Navigated to slow',
      'Navigated to a',
      'Error: no network',
      'Not executed: an earlier action in this turn failed.',
    ],
  )
})

test('a toolset without run is answered by the caller', async () => {
  const engine = script([asks(call('a'))])
  const items = await Array.fromAsync(runTools(engine, { ...params, tools: [{ type: 'browser_toolset_20260801' }] }))
  const done = items.at(-1)!
  assert.ok(done.type === 'done')
  assert.deepEqual(done.pending, [call('a')])
})

test('approve() decides about the calls of a toolset too, and timeoutMs limits them', async () => {
  const browser = new Browser()
  const answered = async (url: string, options: CallOptions): Promise<unknown> =>
    (await answerCall(call(url), [browser], options)).content
  assert.match(String(await answered('a', { approve: () => 'not now' })), /was declined: not now/)
  assert.match(String(await answered('slow', { timeoutMs: 5 })), /did not finish within 5 ms/)
  assert.deepEqual(browser.visited, [])
})

test('an abort ends the calls of a toolset', async () => {
  const controller = new AbortController()
  const answering = answerCalls([call('slow'), call('a')], [new Browser()], { signal: controller.signal })
  controller.abort()
  await assert.rejects(answering, { name: 'APIUserAbortError' })
})

test('await using closes a toolset, and later calls reject', async () => {
  const browser = new Browser()
  await (browser as unknown as AsyncDisposable)[Symbol.asyncDispose]()
  await assert.rejects(answerCall(call('a'), [browser]), { name: 'ToolsetClosedError' })
})

test('a browser without browserState and a computer without confirm cannot be made', () => {
  assert.throws(() => new Browser({ browserState: undefined as never }), ToolsetConfigError)
  class Keyboard extends ComputerToolset {
    protected override key(): void {}
  }
  assert.throws(() => new Keyboard(), { message: 'Cannot enable key without the option confirm' })
  assert.equal(new Keyboard({ configs: { key: { enabled: false } } }).type, 'computer_toolset_20260801')
})

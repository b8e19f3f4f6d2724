import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Conversations, type ConversationSettings, memoryStore, openConversations } from 'colloquy/conversation'
import { readTurn } from 'colloquy/conversation/reader'
import { sqliteStore } from 'colloquy/conversation/sqlite'
import { offline, script, type ScriptedReply, type Step } from 'colloquy/engines'
import { apiError, type ErrorBody, fromUsd } from 'colloquy/protocol'
import { tool } from 'colloquy/tools'
import fc from 'fast-check'
import { until } from '../../../../test/until.ts'
import { createServer } from '../app.ts'
import { type Listening, listen } from '../operate/node.ts'
import type {
  ChangeJson,
  ConversationJson,
  DeletedJson,
  ExchangeJson,
  FoundMessageJson,
  ImportedJson,
  ListedConversationJson,
  ListPageJson,
  ModelsJson,
  PageJson,
  PathMessageJson,
  PreviewJson,
  ReplyCostJson,
  TreeJson,
} from './api.ts'
import type { ConversationRoutesOptions } from './options.ts'
import { conversationRoutes } from './routes.ts'

const defaults: Partial<ConversationSettings> = { model: 'claude-sonnet-4-6', max_tokens: 1_000 }
const folder = mkdtempSync(join(tmpdir(), 'colloquy-'))
after(() => rmSync(folder, { recursive: true }))
const clock = tool({ name: 'clock', inputSchema: { type: 'object' }, run: () => '12:00' })
let files = 0

interface Served {
  url: string
  conversations: Conversations
  path: string
  call<T>(method: string, path: string, body?: unknown): Promise<T>
  send(path: string, body?: unknown, headers?: HeadersInit): Promise<Response>
  close(): Promise<void>
}

/** A server on a port, with its conversations in a SQLite file. */
async function serve(
  steps: ReadonlyArray<ScriptedReply | Step> = [],
  options: Partial<ConversationRoutesOptions> & { path?: string; port?: number } = {},
): Promise<Served> {
  const { path = join(folder, `${++files}.db`), port = 0, ...more } = options
  const engine = script(steps, { otherwise: offline() })
  const conversations = openConversations({ engine, store: sqliteStore(path), journalMs: 10, traces: true })
  const routes = conversationRoutes({ conversations, defaults, pingMs: 200, ...more })
  const listening: Listening = await listen(createServer({ engine, routes: [routes] }), { port })
  const send = (name: string, body?: unknown, headers?: HeadersInit): Promise<Response> => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    return fetch(listening.url + name, { ...init, ...(headers && { headers }) })
  }
  return {
    url: listening.url,
    conversations,
    path,
    send,
    async call<T>(method: string, name: string, body?: unknown): Promise<T> {
      const init = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await fetch(listening.url + name, { method, ...init })
      assert.ok(
        response.ok,
        `${method} ${name}: ${response.status} ${response.ok ? '' : await response.clone().text()}`,
      )
      return (await response.json()) as T
    },
    async close() {
      await listening.close({ graceMs: 0 })
      await routes.close()
      await conversations.close()
    },
  }
}

type Serving = (served: Served, path: string) => Promise<void>

async function serving(
  steps: ReadonlyArray<ScriptedReply | Step>,
  work: Serving,
  options: Partial<ConversationRoutesOptions> = {},
): Promise<void> {
  const served = await serve(steps, options)
  try {
    const { id } = await served.call<ConversationJson>('POST', '/api/conversations', {})
    await work(served, `/api/conversations/${id}`)
  } finally {
    await served.close()
  }
}

async function textOf(response: Response | Promise<Response>): Promise<string> {
  return (await Array.fromAsync(readTurn(response).text)).join('')
}

function texts({ data }: PageJson<PathMessageJson>): string[] {
  return data.map(({ content }) =>
    typeof content === 'string' ? content : content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
  )
}

const slow: Step = { reply: 'One two three four five six seven eight nine ten.', eventDelayMs: 40 }
const stalled: Step = { reply: 'One two three four five six seven', after: 4, stall: true }

describe('a conversation', () => {
  test('is created, asked, read, listed and found', async () => {
    await serving(['Kyoto is old.'], async ({ call, send }, path) => {
      assert.equal(await textOf(send(`${path}/send`, { content: 'Which city is old?' })), 'Kyoto is old.')
      const read = await call<ConversationJson>('GET', path)
      assert.deepEqual(texts(read.path), ['Which city is old?', 'Kyoto is old.'])
      assert.deepEqual([read.title, read.head, read.turn], ['Which city is old?', '2', null])
      assert.deepEqual(read.path.data[1]?.versions, ['2'])
      assert.match(read.path.data[1]?.costUsd ?? '', /^0\.\d+$/)
      assert.equal(read.usage.calls, 1)
      const list = await call<PageJson<ListedConversationJson>>('GET', '/api/conversations')
      assert.deepEqual([list.data[0]?.title, list.data[0]?.messages, list.hasMore], ['Which city is old?', 2, false])
      const found = await call<{ data: FoundMessageJson[] }>('GET', '/api/conversations/search?q=kyoto')
      assert.deepEqual([found.data[0]?.messageId, found.data[0]?.excerpt], ['2', 'Kyoto is old.'])
    })
  })

  test('is read page by page', async () => {
    await serving(['a', 'b', 'c'], async ({ call, send }, path) => {
      for (const content of ['1', '2', '3']) await textOf(send(`${path}/send`, { content }))
      const last = await call<ConversationJson>('GET', `${path}?limit=2`)
      assert.deepEqual([texts(last.path), last.path.hasMore], [['3', 'c'], true])
      const earlier = await call<PageJson<PathMessageJson>>('GET', `${path}/messages?before=5&limit=3`)
      assert.deepEqual([texts(earlier), earlier.hasMore], [['a', '2', 'b'], true])
      const first = await call<PageJson<PathMessageJson>>('GET', `${path}/messages?before=2`)
      assert.deepEqual([texts(first), first.hasMore], [['1'], false])
      const list = await call<PageJson<ListedConversationJson>>('GET', '/api/conversations?limit=1')
      await call('POST', '/api/conversations', {})
      const more = await call<ListPageJson>('GET', '/api/conversations?limit=1')
      // The list continues after a conversation that was deleted meanwhile.
      await call('DELETE', `/api/conversations/${more.data[0]!.id}`)
      const next = await call<ListPageJson>('GET', `/api/conversations?before=${more.next}`)
      assert.deepEqual([more.hasMore, next.data[0]?.id, next.next], [true, list.data[0]?.id, null])
      await assert.rejects(call('GET', '/api/conversations?before=1'), /400 .*before: must be `next` of a page/)
    })
  })

  test('is edited, retried and switched between versions', async () => {
    await serving(['a', 'b', 'c'], async ({ call, send }, path) => {
      await textOf(send(`${path}/send`, { content: '1' }))
      await textOf(send(`${path}/edit`, { messageId: '1', content: 'one' }))
      await textOf(send(`${path}/retry`, { settings: { model: 'claude-opus-4-8' } }))
      const read = await call<ConversationJson>('GET', path)
      assert.deepEqual(texts(read.path), ['one', 'c'])
      assert.deepEqual(
        read.path.data.map(({ versions }) => versions),
        [
          ['1', '3'],
          ['4', '5'],
        ],
      )
      const switched = await call<ConversationJson>('POST', `${path}/switch`, { messageId: '1' })
      assert.deepEqual(texts(switched.path), ['1', 'a'])
      const { data } = await call<{ data: PathMessageJson[] }>('GET', `${path}/messages/5/versions`)
      assert.deepEqual(
        data.map(({ id }) => id),
        ['4', '5'],
      )
      const leaf = await call<PageJson<PathMessageJson>>('GET', `${path}/messages?leaf=4`)
      assert.deepEqual(texts(leaf), ['one', 'b'])
      const tree = await call<TreeJson>('GET', `${path}/tree`)
      assert.deepEqual(
        [tree.head, tree.data.map(({ id, parentId, excerpt }) => [id, parentId, excerpt])],
        [
          '2',
          [
            ['1', undefined, '1'],
            ['2', '1', 'a'],
            ['3', undefined, 'one'],
            ['4', '3', 'b'],
            ['5', '3', 'c'],
          ],
        ],
      )
    })
  })

  test('keeps the replies to an edited question with rerun false', async () => {
    await serving(['a', 'b'], async ({ call, send }, path) => {
      await textOf(send(`${path}/send`, { content: '1' }))
      await textOf(send(`${path}/send`, { content: '2' }))
      const before = await call<ConversationJson>('GET', path)
      await textOf(send(`${path}/edit`, { messageId: '1', content: 'one', rerun: false }))
      await textOf(send(`${path}/edit`, { messageId: '8', content: 'written', rerun: false }))
      const read = await call<ConversationJson>('GET', path)
      assert.deepEqual(texts(read.path), ['one', 'a', '2', 'written'])
      assert.deepEqual(read.usage, before.usage)
      assert.deepEqual(texts((await call<ConversationJson>('POST', `${path}/switch`, { messageId: '4' })).path), [
        '1',
        'a',
        '2',
        'b',
      ])
    })
  })

  test('is undone, erased, forked, renamed and configured', async () => {
    await serving(['a', 'b'], async ({ call, send }, path) => {
      await textOf(send(`${path}/send`, { content: '1' }))
      await textOf(send(`${path}/send`, { content: '2' }))
      const fork = await call<ConversationJson>('POST', `${path}/fork`, { messageId: '2' })
      assert.deepEqual(texts(fork.path), ['1', 'a'])
      assert.deepEqual(texts((await call<ConversationJson>('POST', `${path}/undo`)).path), ['1', 'a'])
      const erased = await call<ConversationJson>('POST', `${path}/erase`, { messageId: '2' })
      assert.deepEqual(texts(erased.path), ['1'])
      const settings = { system: 'Be brief.', max_tokens: 5, budget: { usd: 1 } }
      const changed = await call<ConversationJson>('PATCH', path, { title: 'Numbers', metadata: { a: 1 }, settings })
      assert.deepEqual([changed.title, changed.metadata], ['Numbers', { a: 1 }])
      assert.deepEqual(changed.settings, { ...defaults, ...settings })
      const removed = await call<ConversationJson>('PATCH', path, {
        title: null,
        metadata: null,
        settings: { budget: null },
      })
      assert.deepEqual([removed.title, removed.metadata, removed.settings.budget], [undefined, undefined, undefined])
    })
  })

  test('is pinned and archived, and listed by that', async () => {
    await serving([], async ({ call, send }, path) => {
      const { updatedAt } = await call<ConversationJson>('GET', path)
      const pinned = await call<ConversationJson>('PATCH', path, { shelf: 'pinned' })
      assert.deepEqual([pinned.shelf, pinned.updatedAt], ['pinned', updatedAt])
      const count = async (shelf: string): Promise<number> =>
        (await call<PageJson<ListedConversationJson>>('GET', `/api/conversations?shelf=${shelf}`)).data.length
      assert.deepEqual([await count('pinned'), await count('archived'), await count('none')], [1, 0, 0])
      const back = await call<ConversationJson>('PATCH', path, { shelf: null })
      assert.deepEqual([back.shelf, await count('none')], [undefined, 1])
      assert.equal((await send('/api/conversations?shelf=lost')).status, 400)
      await call('PATCH', path, { title: 'A Walk' })
      const titled = async (title: string): Promise<number> =>
        (await call<PageJson<ListedConversationJson>>('GET', `/api/conversations?title=${title}`)).data.length
      assert.deepEqual([await titled('a%20wALK'), await titled('run')], [1, 0])
      assert.equal((await send(`/api/conversations?title=${'a'.repeat(1_001)}`)).status, 400)
    })
  })

  test('can be restored for a while after it was deleted', async () => {
    const restores: Serving = async ({ call, send }, path) => {
      await call<DeletedJson>('DELETE', path)
      assert.equal((await send(path)).status, 404)
      assert.deepEqual((await call<PageJson<ListedConversationJson>>('GET', '/api/conversations')).data, [])
      await call<ConversationJson>('POST', `${path}/restore`, {})
      assert.equal((await send(path)).status, 200)
    }
    await serving([], restores, { undoMs: 60_000 })
  })

  test('is deleted after that while', async () => {
    const deletes: Serving = async ({ call, send, conversations }, path) => {
      await call<DeletedJson>('DELETE', path)
      await until(async () => (await conversations.list()).length === 0)
      assert.equal((await send(`${path}/restore`, {})).status, 404)
      assert.equal((await send(path)).status, 404)
    }
    await serving([], deletes, { undoMs: 1 })
  })

  test('is kept if another program continued it while its deletion was pending', async () => {
    const served = await serve(['a'], { undoMs: 60_000 })
    const other = openConversations({ engine: script(['b']), store: sqliteStore(served.path) })
    const { id } = await served.call<ConversationJson>('POST', '/api/conversations', {})
    await served.call('DELETE', `/api/conversations/${id}`)
    await (await other.open(id)).send('still here?')
    // The end of the server deletes at once what is pending.
    await served.close()
    assert.equal((await other.open(id)).head, '2')
    await other.close()
  })

  test('is restored at another server than the one that was to delete it, or to erase a message', async () => {
    const one = await serve(['Hello'], { undoMs: 60_000 })
    const two = await serve([], { path: one.path })
    const { id } = await one.call<ConversationJson>('POST', '/api/conversations', {})
    const path = `/api/conversations/${id}`
    await textOf(one.send(`${path}/send`, { content: 'Hi' }))
    await pause(2) // Times are in milliseconds.
    await one.call('POST', `${path}/erase`, { messageId: '1', undoMs: 60_000 })
    await two.call('POST', `${path}/erase/undo`, { messageId: '1' })
    await one.call('DELETE', path)
    await pause(2)
    await two.call('POST', `${path}/restore`)
    assert.deepEqual(
      (await one.call<PageJson<ListedConversationJson>>('GET', '/api/conversations')).data.map((each) => each.id),
      [id],
    )
    // The end of a server does at once what is pending.
    await one.close()
    assert.deepEqual(texts((await two.call<ConversationJson>('GET', path)).path), ['Hi', 'Hello'])
    await two.close()
  })

  test('is exported and imported', async () => {
    await serving(['a'], async ({ call, send, url }, path) => {
      await textOf(send(`${path}/send`, { content: '1' }))
      const exported = await send(`${path}/export`)
      assert.match(exported.headers.get('content-disposition') ?? '', /^attachment; filename="\w+\.jsonl"$/)
      const body = (await exported.text()).replace(/"id":"\w{26}"/, '"id":"copy"')
      const response = await fetch(`${url}/api/conversations/import`, { method: 'POST', body })
      const { data } = (await response.json()) as { data: ImportedJson[] }
      assert.deepEqual([response.status, data[0]?.report.messages], [201, 2])
      assert.deepEqual(texts((await call<ConversationJson>('GET', `/api/conversations/${data[0]!.id}`)).path), [
        '1',
        'a',
      ])
      // An import that is repeated adds nothing, and brings back what is being deleted.
      await call('DELETE', `/api/conversations/${data[0]!.id}`)
      const again = await fetch(`${url}/api/conversations/import`, { method: 'POST', body })
      const { data: same } = (await again.json()) as { data: ImportedJson[] }
      assert.deepEqual([same[0]?.id, data[0]?.existed, same[0]?.existed], [data[0]!.id, false, true])
      const restored = await fetch(`${url}/api/conversations/${data[0]!.id}`)
      assert.equal(restored.status, 200)
      const wrong = await fetch(`${url}/api/conversations/import`, { method: 'POST', body: 'nothing' })
      assert.equal(wrong.status, 400)
    })
  })

  test('POST …/erase waits for an undo', async () => {
    await serving(['One', 'Two'], async ({ call, send }, path) => {
      const count = async (): Promise<number> => (await call<TreeJson>('GET', `${path}/tree`)).data.length
      for (const content of ['1', '2']) await (await send(`${path}/send`, { content })).text()
      await call('POST', `${path}/erase`, { messageId: '3', undoMs: 60_000 })
      await call('POST', `${path}/erase/undo`, { messageId: '3' })
      assert.equal((await send(`${path}/erase/undo`, { messageId: '9' })).status, 404)
      assert.equal(await count(), 4)
      await call('POST', `${path}/erase`, { messageId: '3', undoMs: 20 })
      await until(async () => (await count()) === 2)
      assert.equal((await send(`${path}/erase`, { messageId: '9', undoMs: 20 })).status, 404)
      assert.equal((await send(`${path}/erase`, { messageId: '1', undoMs: 70_000 })).status, 400)
    })
  })

  test('POST …/erase keeps what was continued meanwhile', async () => {
    const served = await serve(['One', 'Two'])
    const { id } = await served.call<ConversationJson>('POST', '/api/conversations', {})
    const send = async (content: string): Promise<string> =>
      (await served.send(`/api/conversations/${id}/send`, { content })).text()
    await send('1')
    await served.call('POST', `/api/conversations/${id}/erase`, { messageId: '1', undoMs: 60_000 })
    await send('2')
    // The end of the server erases at once what is waiting.
    await served.close()
    const conversations = openConversations({ engine: offline(), store: sqliteStore(served.path) })
    assert.equal((await conversations.open(id)).messages.length, 4)
    await conversations.close()
  })

  test('GET …/exchange has the request of a reply, its response and the times of its events', async () => {
    await serving(['Hello there'], async ({ call, send }, path) => {
      await (await send(`${path}/send`, { content: 'Hi' })).text()
      const found = await call<ExchangeJson>('GET', `${path}/messages/2/exchange`)
      assert.match(JSON.stringify(found.request.messages), /"Hi"/)
      assert.equal(found.request.model, 'claude-sonnet-4-6')
      assert.equal(found.exact, true)
      assert.deepEqual(
        found.response?.content.map((block) => block.type),
        ['text'],
      )
      assert.equal(found.trace?.events[0]?.[1], 'message_start')
      assert.equal((await send(`${path}/messages/1/exchange`)).status, 400)
      assert.equal((await send(`${path}/messages/9/exchange`)).status, 404)
      const { path: page } = await call<ConversationJson>('GET', path)
      assert.equal(typeof page.data[1]?.timing?.totalMs, 'number')
      assert.ok(!('trace' in page.data[1]!))
    })
  })

  test('is previewed, and its costs are explained', async () => {
    await serving(['a'], async ({ call, send }, path) => {
      const preview = await call<PreviewJson>('POST', `${path}/preview`, { content: 'How long is this?' })
      assert.equal(preview.request!.messages.length, 1)
      const sizes = await call<PreviewJson>('POST', `${path}/preview`, { content: 'How long is this?', request: false })
      assert.deepEqual(sizes, { ...preview, request: null })
      assert.ok(preview.inputTokens > 0)
      // As a budget reserves: a token for each byte of a short request, and the longest reply.
      const bytes = BigInt(JSON.stringify(preview.request).length)
      const perByte = fromUsd('0.000006')
      assert.equal(BigInt(preview.mostCost!.picoUsd), bytes * perByte + 1_000n * fromUsd('0.000015'))
      const unpriced = await call<PreviewJson>('POST', `${path}/preview`, { settings: { model: 'house-model' } })
      assert.equal(unpriced.mostCost, null)
      await textOf(send(`${path}/send`, { content: '1' }))
      const cost = await call<ReplyCostJson>('GET', `${path}/messages/2/cost`)
      const sum = cost.lines.reduce((total, { cost: { picoUsd } }) => total + BigInt(picoUsd), 0n)
      assert.equal(String(sum), cost.total?.picoUsd)
      assert.ok(cost.lines.some(({ bucket, count, priceUsd }) => bucket === 'output' && count > 0 && priceUsd === '15'))
      assert.equal((await send(`${path}/messages/1/cost`)).status, 400)
      const models = await call<ModelsJson>('GET', '/api/models')
      assert.ok(models.data.some(({ id }) => id === 'claude-sonnet-4-6'))
      assert.deepEqual(models.defaults, defaults)
      assert.equal(models.data.filter(({ id }) => id === defaults.model).length, 1)
    })
  })

  test('is read with paths in place of its files', async () => {
    await serving(['a picture', 'again'], async ({ call, send }, path) => {
      const bytes = Uint8Array.from({ length: 3_000 }, (_, index) => index % 256)
      bytes.set(new TextEncoder().encode('GIF89a'))
      const data = Buffer.from(bytes).toString('base64')
      const image = { type: 'image', source: { type: 'base64', media_type: 'image/gif', data } }
      await textOf(send(`${path}/send`, { content: [{ type: 'text', text: 'Look' }, image] }))
      const [question] = (await call<ConversationJson>('GET', path)).path.data
      const shown = (question!.content as unknown as { source: { data: string; url: string; bytes: number } }[])[1]!
      assert.deepEqual([shown.source.data, shown.source.bytes], ['', 3_000])
      const file = await send(shown.source.url)
      assert.deepEqual(new Uint8Array(await file.arrayBuffer()), bytes)
      assert.equal(file.headers.get('content-type'), 'image/gif')
      assert.match(file.headers.get('content-security-policy') ?? '', /sandbox/)
      // An edit names the file by its path.
      await textOf(send(`${path}/edit`, { messageId: '1', content: [{ type: 'text', text: 'Look again' }, shown] }))
      const [edited] = (await call<ConversationJson>('GET', path)).path.data
      const again = (edited!.content as unknown as { source: { url: string } }[])[1]!
      assert.deepEqual(new Uint8Array(await (await send(again.source.url)).arrayBuffer()), bytes)
      for (const id of ['x', '%zz']) {
        const source = { ...shown.source, url: `/api/conversations/${id}/messages/1/blocks/1` }
        assert.equal((await send(`${path}/send`, { content: [{ ...shown, source }] })).status, 400)
      }
      assert.equal((await send(`${path}/messages/1/blocks/0`)).status, 404)
    })
  })
})

describe('a turn', () => {
  test('runs to its end without a reader', async () => {
    await serving([slow], async ({ call, send }, path) => {
      const response = await send(`${path}/send`, { content: 'count' })
      await response.body!.cancel()
      await textOf(send(`${path}/turn`))
      assert.deepEqual(texts((await call<ConversationJson>('GET', path)).path), ['count', slow.reply])
      assert.equal((await send(`${path}/turn`)).status, 204)
    })
  })

  test('is joined after every event, and nothing is missed', async () => {
    await serving([{ ...slow, eventDelayMs: 15 }], async ({ send }, path) => {
      const ids: string[] = []
      const seen: string[] = []
      const reader = readTurn(send(`${path}/send`, { content: 'count' }))
      const joined: Promise<string>[] = []
      for await (const _ of reader) {
        const id = reader.lastEventId!
        const { content } = reader.message!
        ids.push(id)
        seen.push(
          typeof content === 'string'
            ? content
            : content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
        )
        joined.push(
          send(`${path}/turn`, undefined, { 'last-event-id': id }).then(async (response) => {
            const rest = await response.text()
            const deltas = [...rest.matchAll(/"text_delta","text":"([^"]*)"/g)].map(([, text]) => text)
            const recorded = /event: step_end\ndata: .*?"content":\[\{"type":"text","text":"([^"]*)"/.exec(rest)?.[1]
            return `${deltas.join('')}|${recorded ?? ''}`
          }),
        )
      }
      const rests = await Promise.all(joined)
      for (const [index, id] of ids.entries()) {
        const [rest, recorded] = rests[index]!.split('|')
        if (id.endsWith('.end')) assert.equal(recorded, '', id)
        else assert.equal(recorded, slow.reply, id)
        // Either the rest of the text comes in deltas, or the turn had ended.
        assert.ok([slow.reply, seen[index]].includes(seen[index]! + rest), `${id}: ${seen[index]} + ${rest}`)
      }
      assert.ok(rests.filter((rest) => !rest.startsWith('|')).length >= 2)
    })
  })

  test('is stopped with its text, and continued', async () => {
    await serving([stalled, ' eight'], async ({ call, send }, path) => {
      const reader = readTurn(send(`${path}/send`, { content: 'count' }))
      for await (const _ of reader.text) break
      const running = await call<ConversationJson>('GET', path)
      assert.deepEqual([running.turn, texts(running.path)], [{ messageId: '2' }, ['count']])
      assert.deepEqual(await call('POST', `${path}/stop`, {}), { stopped: true })
      const stopped = await call<ConversationJson>('GET', path)
      assert.deepEqual([stopped.turn, stopped.path.data[1]?.state], [null, 'interrupted'])
      assert.deepEqual(await call('POST', `${path}/stop`, {}), { stopped: false })
      await textOf(send(`${path}/continue`, {}))
      assert.equal((await call<ConversationJson>('GET', path)).path.data.at(-1)?.state, 'committed')
    })
  })

  test('is refused while another one is in flight, and waits with queue', async () => {
    await serving([slow, 'next'], async ({ send }, path) => {
      const first = await send(`${path}/send`, { content: 'count' })
      const refused = await send(`${path}/send`, { content: 'and?' })
      assert.deepEqual([refused.status, ((await refused.json()) as ErrorBody).error.type], [409, 'conflict_error'])
      assert.equal(await textOf(send(`${path}/send`, { content: 'and?', onConflict: 'queue' })), 'next')
      await first.body?.cancel()
    })
  })

  test('is sent once with a key', async () => {
    await serving(['a', 'b'], async ({ call, send }, path) => {
      const body = { content: '1', key: 'k1' }
      assert.deepEqual([await textOf(send(`${path}/send`, body)), await textOf(send(`${path}/send`, body))], ['a', 'a'])
      assert.equal((await call<ConversationJson>('GET', path)).path.data.length, 2)
    })
  })

  test('that the engine refuses tells why, and the question stays', async () => {
    const error = { type: 'overloaded_error', message: 'Overloaded' } as const
    await serving([{ error, times: 9 }], async ({ call, send }, path) => {
      const reader = readTurn(send(`${path}/send`, { content: 'hello' }))
      await Array.fromAsync(reader)
      assert.deepEqual([reader.end?.error?.type, reader.end?.stopped], ['overloaded_error', false])
      const { data } = (await call<ConversationJson>('GET', path)).path
      assert.deepEqual([data[0]?.role, data[1]?.state, data[1]?.error?.type], ['user', 'failed', 'overloaded_error'])
    })
  })

  test('survives a restart of the server: the reader gets the part that was kept', async () => {
    const before = await serve([stalled])
    const { id } = await before.call<ConversationJson>('POST', '/api/conversations', {})
    const reader = readTurn(before.send(`/api/conversations/${id}/send`, { content: 'count' }))
    for await (const _ of reader.text) break
    await before.conversations.stop(id)
    await before.close()
    const served = await serve([], { path: before.path })
    const rest = readTurn(
      served.send(`/api/conversations/${id}/turn`, undefined, { 'last-event-id': reader.lastEventId! }),
    )
    await Array.fromAsync(rest)
    assert.deepEqual([rest.message?.state, rest.end?.stopped], ['interrupted', true])
    await served.close()
  })
})

describe('changes', () => {
  /** The changes that a client receives, until one is found. */
  async function until(
    served: Served,
    isLast: (change: ChangeJson) => boolean,
    act: () => Promise<void>,
  ): Promise<ChangeJson[]> {
    const controller = new AbortController()
    const response = await fetch(`${served.url}/api/changes`, { signal: controller.signal })
    const seen: ChangeJson[] = []
    let rest = ''
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      rest += text
      for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
        const data = /^data: (.*)$/m.exec(rest.slice(0, end))?.[1]
        rest = rest.slice(end + 2)
        if (data === undefined) continue
        const change = JSON.parse(data) as ChangeJson
        seen.push(change)
        if (change.type === 'ready') await act()
        if (isLast(change)) {
          controller.abort()
          return seen
        }
      }
    }
    return seen
  }

  test('of a conversation from before its deletion do not bring it back', async () => {
    const served = await serve(['One'])
    try {
      const { id } = await served.call<ConversationJson>('POST', '/api/conversations', {})
      let deletedId = ''
      const seen = await until(
        served,
        (change) => change.type === 'changed' && change.conversation.id !== id && deletedId !== '',
        async () => {
          // The store tells of the turn after the deletion has begun.
          await (await served.conversations.open(id)).send('Hi')
          await served.call('DELETE', `/api/conversations/${id}`)
          deletedId = id
          await pause(600)
          await served.call('POST', '/api/conversations', { title: 'Another' })
        },
      )
      const own = seen.filter(
        (change) => change.type === 'deleted' || (change.type === 'changed' && change.conversation.id === id),
      )
      assert.equal(own.at(-1)?.type, 'deleted')
    } finally {
      await served.close()
    }
  })

  test('tell two clients what a third program does on the same file', async () => {
    const served = await serve()
    const other = openConversations({
      engine: script([{ ...slow, eventDelayMs: 150 }]),
      store: sqliteStore(served.path),
    })
    const act = Promise.withResolvers<string>()
    let ready = 0
    const begin = async (): Promise<void> => {
      if (++ready < 2) return
      const conversation = await other.create({ model: 'm', max_tokens: 9 })
      act.resolve(conversation.id)
      await conversation.send('from the terminal')
      await conversation.rename('Renamed')
    }
    const isRenamed = (change: ChangeJson): boolean =>
      change.type === 'changed' && change.conversation.title === 'Renamed' && change.conversation.turn === null
    const [one, two] = await Promise.all([until(served, isRenamed, begin), until(served, isRenamed, begin)])
    for (const seen of [one, two]) {
      const running = seen.filter((change) => change.type === 'changed' && change.conversation.turn?.messageId === '2')
      assert.ok(running.length > 0, 'the turn was in flight')
    }
    const id = await act.promise
    const deleted = await until(
      served,
      ({ type }) => type === 'deleted',
      () => other.delete(id),
    )
    assert.deepEqual(deleted.at(-1), { type: 'deleted', id })
    await served.close()
    await other.close()
  })

  test('tell at once of a deletion and of its restoration', async () => {
    await serving([], async (served, path) => {
      await served.call('POST', '/api/conversations', {})
      const list = served.conversations.list.bind(served.conversations)
      const seen = await until(
        served,
        ({ type }) => type === 'changed',
        async () => {
          // However many others were used later.
          served.conversations.list = (options) => list({ ...options, limit: 1 })
          await served.call('DELETE', path)
          await served.call('POST', `${path}/restore`, {})
        },
      )
      assert.deepEqual(
        seen.map(({ type }) => type),
        ['ready', 'deleted', 'changed'],
      )
    })
  })
})

describe('access', () => {
  test('requests of foreign pages are refused, and get no CORS headers', async () => {
    const served = await serve([], {})
    const { host } = new URL(served.url)
    const port = Number(host.split(':')[1])
    const refused: HeadersInit[] = [
      { origin: 'https://evil.example' },
      { origin: `http://127.0.0.1:${port + 1}` },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]
    for (const headers of refused) {
      const response = await served.send('/api/conversations', undefined, headers)
      assert.equal(response.status, 403, JSON.stringify(headers))
      assert.equal(response.headers.get('access-control-allow-origin'), null)
      await response.body?.cancel()
    }
    const own = await served.send('/api/conversations', {}, { origin: served.url, 'sec-fetch-site': 'same-origin' })
    assert.equal(own.status, 201)
    const preflight = await fetch(`${served.url}/api/conversations`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    assert.equal(preflight.status, 403)
    await served.close()
  })

  test('an owner sees and changes only its own conversations', async () => {
    const owners = new Map([
      ['key-ada', 'ada'],
      ['key-bob', 'bob'],
    ])
    const conversations = openConversations({ engine: script(['a', 'b']), store: memoryStore() })
    const routes = conversationRoutes({
      conversations,
      defaults,
      admit({ headers }) {
        const owner = owners.get(headers.get('x-api-key') ?? '')
        if (owner === undefined) throw apiError('authentication_error', 'invalid x-api-key')
        return { owner }
      },
    })
    const as = async (key: string, method: string, path: string, body?: unknown): Promise<Response> => {
      const init = body === undefined ? {} : { body: JSON.stringify(body) }
      return routes.answer(
        new Request(`http://colloquy.test${path}`, { method, headers: { 'x-api-key': key }, ...init }),
      )!
    }
    const created = (await (await as('key-ada', 'POST', '/api/conversations', {})).json()) as ConversationJson
    const path = `/api/conversations/${created.id}`
    assert.equal(created.owner, 'ada')
    assert.equal((await as('none', 'GET', '/api/conversations')).status, 401)
    const list = (await (await as('key-bob', 'GET', '/api/conversations')).json()) as PageJson<unknown>
    assert.deepEqual(list.data, [])
    const tries = [
      ['GET', path],
      ['GET', `${path}/tree`],
      ['GET', `${path}/turn`],
      ['GET', `${path}/export`],
      ['GET', `${path}/messages`],
      ['POST', `${path}/send`, { content: 'x' }],
      ['POST', `${path}/stop`, {}],
      ['PATCH', path, { title: 'x' }],
      ['POST', `${path}/fork`, {}],
      ['POST', `${path}/undo`, {}],
      ['DELETE', path],
      ['POST', `${path}/restore`, {}],
      ['GET', `${path}/messages/1/cost`],
      ['GET', `${path}/messages/1/blocks/0`],
      ['POST', `${path}/preview`, {}],
      ['POST', `${path}/calls/toolu_1/run`, {}],
    ] as const
    for (const [method, name, body] of tries) assert.equal((await as('key-bob', method, name, body)).status, 404, name)
    assert.equal(await textOf(as('key-ada', 'POST', `${path}/send`, { content: 'x' })), 'a')
    await as('key-ada', 'DELETE', path)
    assert.equal((await as('key-bob', 'POST', `${path}/restore`, {})).status, 404)
    assert.equal((await as('key-ada', 'POST', `${path}/restore`, {})).status, 200)
    await routes.close()
  })
})

test('settings of any type are accepted or refused, and never a 500', async () => {
  const conversations = openConversations({ engine: offline(), store: memoryStore() })
  const settings = { model: 'claude-sonnet-4-6', max_tokens: 5 }
  const routes = conversationRoutes({ conversations, defaults: settings, tools: () => [clock] })
  const { id } = await conversations.create(settings)
  await (await conversations.open(id)).send('hello')
  const names = ['model', 'max_tokens', 'tools', 'system', 'thinking', 'window', 'budget', 'betas', 'metadata']
  names.push('stop_sequences', 'tool_choice', 'temperature', 'context_management', 'cache_control', 'container')
  const odd = [5, null, '', 'x', [], [1], [null], {}, { a: 1 }, true, [{ type: 'x' }], [{ name: 1 }]]
  for (const name of names) {
    for (const value of odd) {
      const settings = { [name]: value }
      for (const [method, path, body] of [
        ['POST', `/${id}/preview`, { content: 'a', settings }],
        ['POST', `/${id}/send`, { content: 'a', settings }],
        ['PATCH', `/${id}`, { settings }],
        ['POST', '', { settings }],
      ] as const) {
        const url = `http://colloquy.test/api/conversations${path}`
        const response = await routes.answer(new Request(url, { method, body: JSON.stringify(body) }))
        const answer = await response!.text()
        assert.ok(response!.status < 500, `${method} ${path} ${JSON.stringify(settings)}: ${answer}`)
      }
    }
  }
  await routes.close()
})

test('requests with any body get an answer of the API, and never 500', async () => {
  const conversations = openConversations({ engine: offline(), store: memoryStore() })
  const routes = conversationRoutes({ conversations, defaults: { model: 'claude-sonnet-4-6', max_tokens: 5 } })
  const { id } = await conversations.create({ model: 'claude-sonnet-4-6', max_tokens: 5 })
  await (await conversations.open(id)).send('hello')
  const names = ['send', 'edit', 'retry', 'continue', 'undo', 'switch', 'erase', 'fork', 'preview', 'stop']
  const paths = [
    ...names.map((name) => `/${name}`),
    '',
    '/tree',
    '/messages',
    '/messages/1/cost',
    '/messages/9/blocks/0',
  ]
  const member = fc.constantFrom('content', 'messageId', 'settings', 'key', 'title', 'metadata', 'turns', 'rerun', 'x')
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(
      '1',
      '2',
      '3',
      [{ type: 'text', text: 'hi' }],
      [{ type: 'image', source: { type: 'base64', url: '/' } }],
    ),
    fc.record({ model: fc.jsonValue({ maxDepth: 0 }), max_tokens: fc.jsonValue({ maxDepth: 0 }) }),
  )
  const body = fc.oneof(
    fc.dictionary(member, value, { noNullPrototype: true }).map((each) => JSON.stringify(each)),
    fc.string(),
  )
  const request = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PATCH', 'PUT'),
    path: fc.oneof(
      fc.constantFrom(...paths).map((path) => `/api/conversations/${id}${path}`),
      fc.constantFrom('/api/conversations', '/api/conversations/import', '/api/models'),
      fc.string({ maxLength: 20 }).map((text) => `/api/conversations/${encodeURIComponent(text)}`),
    ),
    query: fc.oneof(
      fc.constant(''),
      fc.webQueryParameters().map((query) => `?limit=${query}&before=${query}`),
    ),
    body,
  })
  const run = async ({
    method,
    path,
    query,
    body: text,
  }: typeof request extends fc.Arbitrary<infer T> ? T : never): Promise<void> => {
    const init = method === 'GET' ? {} : { body: text }
    const asked = new Request(`http://colloquy.test${path}${query}`, { method, ...init })
    const response = await routes.answer(asked)
    if (!response) {
      // A URL resolves `..` in its path, which can lead out of the routes.
      assert.doesNotMatch(new URL(asked.url).pathname, /^\/api\/(?:conversations(?:\/|$)|models$|changes$)/)
      return
    }
    const answer = await response.text()
    assert.ok(response.status < 500, `${method} ${path}${query} ${text}: ${response.status} ${answer}`)
    if (response.status >= 400) assert.equal((JSON.parse(answer) as ErrorBody).type, 'error')
  }
  await fc.assert(fc.asyncProperty(request, run), { numRuns: Number(process.env.COLLOQUY_FUZZ ?? 120) })
  await routes.close()
})

test('an error of these routes has the request id of its header and of the log', async () => {
  const ids: string[] = []
  const engine = offline()
  const routes = conversationRoutes({ conversations: openConversations({ engine }), defaults })
  const server = createServer({ engine, routes: [routes], log: ({ requestId }) => ids.push(requestId) })
  const response = await server.fetch('http://server.test/api/conversations/unknown')
  assert.deepEqual(ids, [response.headers.get('request-id')])
  assert.deepEqual(ids, [((await response.json()) as ErrorBody).request_id])
  await routes.close()
})

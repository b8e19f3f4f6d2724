import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MessageBatch, MessageBatchIndividualResponse } from '../../protocol/types/resources/batch.ts'
import { type Answer, faultServer, hello, params } from '../request/fault-server.test.ts'

const batch: MessageBatch = {
  id: 'msgbatch_1',
  type: 'message_batch',
  processing_status: 'ended',
  request_counts: { processing: 0, succeeded: 2, errored: 0, canceled: 0, expired: 0 },
  created_at: '2026-11-20T00:00:00Z',
  expires_at: '2026-11-21T00:00:00Z',
  ended_at: '2026-11-20T00:10:00Z',
  cancel_initiated_at: null,
  archived_at: null,
  results_url: null,
}

const line = (custom_id: string): MessageBatchIndividualResponse => ({
  custom_id,
  result: { type: 'succeeded', message: hello },
})

test('batches creates, retrieves, lists, cancels and deletes', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, batch))
  const { batches } = server.client().messages
  const requests = [{ custom_id: 'a', params }]
  assert.deepEqual(await batches.create({ requests, betas: ['a-1'], workspace_id: 'w' }), batch)
  await batches.retrieve('msgbatch_1')
  await batches.cancel('msgbatch_1', { workspace_id: 'w' })
  await batches.delete('msgbatch_1')
  assert.deepEqual(
    server.requests.map(({ method, path, body }) => [method, path, body && (JSON.parse(body) as unknown)]),
    [
      ['POST', '/v1/messages/batches', { requests }],
      ['GET', '/v1/messages/batches/msgbatch_1', ''],
      ['POST', '/v1/messages/batches/msgbatch_1/cancel', ''],
      ['DELETE', '/v1/messages/batches/msgbatch_1', ''],
    ],
  )
  assert.deepEqual(
    server.requests.map(({ headers }) => [headers['anthropic-beta'], headers['anthropic-workspace-id']]),
    [
      ['a-1', 'w'],
      [undefined, undefined],
      [undefined, 'w'],
      [undefined, undefined],
    ],
  )
  await assert.rejects(async () => batches.retrieve(''), /without an id/)
})

test('a loop over batches.list() reads all pages', async (t) => {
  const page = (id: string, has_more: boolean) => ({ data: [{ ...batch, id }], has_more, first_id: id, last_id: id })
  const server = await faultServer(
    t,
    (answer) => answer.json(200, page('b_1', true)),
    (answer) => answer.json(200, page('b_2', false)),
  )
  const ids: string[] = []
  for await (const { id } of server.client().messages.batches.list({ limit: 1 })) ids.push(id)
  assert.deepEqual(ids, ['b_1', 'b_2'])
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ['/v1/messages/batches?limit=1', '/v1/messages/batches?limit=1&after_id=b_1'],
  )
})

test('results() reads JSON Lines cut at any byte from the URL of the batch', async (t) => {
  const lines = `${JSON.stringify(line('ä'))}\n${JSON.stringify(line('b'))}\r\n\n${JSON.stringify(line('c'))}`
  const bytes = Buffer.from(lines)
  const server = await faultServer(
    t,
    (answer) => answer.json(200, { ...batch, results_url: `${server.url}/elsewhere/results` }),
    async (answer) => {
      answer.head(200, { 'content-type': 'application/x-jsonl' })
      for (let at = 0; at < bytes.length; at += 7) {
        answer.response.write(bytes.subarray(at, at + 7))
        await new Promise(setImmediate)
      }
      answer.end()
    },
  )
  const results = await server.client().messages.batches.results('msgbatch_1')
  assert.deepEqual(await Array.fromAsync(results), ['ä', 'b', 'c'].map(line))
  assert.equal(server.requests[1]!.path, '/elsewhere/results')
  assert.equal(server.requests[1]!.headers['x-api-key'], 'key')
})

test('results() rejects with the status of a batch that has not ended', async (t) => {
  const server = await faultServer(t, (answer) => answer.json(200, { ...batch, processing_status: 'in_progress' }))
  await assert.rejects(server.client().messages.batches.results('msgbatch_1'), {
    name: 'AnthropicError',
    message: 'Cannot read the results of batch msgbatch_1: it has no results_url, its status is in_progress',
  })
})

test('results() names the line that is not JSON, and reports a broken connection', async (t) => {
  for (const [end, expected] of [
    ['{"custom_id":\n', /^AnthropicError: Cannot read line 2 of http.* as JSON: found \{"custom_id":$/],
    [undefined, { name: 'APIConnectionError' }],
  ] as const) {
    const server = await faultServer(
      t,
      (answer) => answer.json(200, { ...batch, results_url: `${server.url}/results` }),
      (answer) => {
        answer.head(200).response.write(`${JSON.stringify(line('a'))}\n`)
        if (end === undefined) answer.reset()
        else answer.response.end(end)
      },
    )
    const seen: string[] = []
    await assert.rejects(async () => {
      for await (const { custom_id } of await server.client().messages.batches.results('msgbatch_1'))
        seen.push(custom_id)
    }, expected)
    assert.deepEqual(seen, ['a'])
  }
})

test('results() refuses a line without an end, after the lines before it', async (t) => {
  const piece = Buffer.alloc(1024 * 1024, 'x')
  const server = await faultServer(
    t,
    (answer) => answer.json(200, { ...batch, results_url: `${server.url}/results` }),
    ({ response }) => {
      response.write(`${JSON.stringify(line('a'))}\n`)
      const send = (): void => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', send)
      send()
    },
  )
  const seen: string[] = []
  await assert.rejects(async () => {
    for await (const { custom_id } of await server.client().messages.batches.results('msgbatch_1')) seen.push(custom_id)
  }, /^AnthropicError: Cannot read line 2 of http.*: it has more than 67108864 characters$/)
  assert.deepEqual(seen, ['a'])
  await server.idle()
})

test('leaving the loop over results() closes the connection', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.json(200, { ...batch, results_url: `${server.url}/results` }),
    (answer) => void answer.head(200).response.write(`${JSON.stringify(line('a'))}\n${JSON.stringify(line('b'))}\n`),
  )
  for await (const { custom_id } of await server.client().messages.batches.results('msgbatch_1')) {
    assert.equal(custom_id, 'a')
    break
  }
  await server.idle()
})

test('an abort and a long silence end results()', async (t) => {
  const server = await faultServer(
    t,
    (answer) => answer.json(200, { ...batch, results_url: `${server.url}/results` }),
    (answer) => void answer.head(200).response.write(`${JSON.stringify(line('a'))}\n`),
    (answer) => answer.json(200, { ...batch, results_url: `${server.url}/results` }),
    (answer) => void answer.head(200).response.write(`${JSON.stringify(line('a'))}\n`),
    (answer) => answer.json(200, { ...batch, results_url: `${server.url}/results` }),
    (answer) => void answer.head(200).response.write(`${JSON.stringify(line('a'))}\n`),
  )
  const { batches } = server.client().messages
  const controller = new AbortController()
  const aborted = await batches.results('msgbatch_1', {}, { signal: controller.signal })
  await assert.rejects(
    async () => {
      for await (const { custom_id } of aborted) controller.abort(custom_id)
    },
    { name: 'APIUserAbortError', cause: 'a' },
  )
  const stopped = await batches.results('msgbatch_1')
  await assert.rejects(
    async () => {
      for await (const { custom_id } of stopped) stopped.controller.abort(custom_id)
    },
    { name: 'APIUserAbortError', cause: 'a' },
  )
  const silent = await batches.results('msgbatch_1', {}, { idleTimeout: 20 })
  await assert.rejects(Array.fromAsync(silent), { name: 'APIConnectionTimeoutError' })
  await server.idle()
})

test('an abort by the signal of results() aborts their controller', async (t) => {
  const server = await faultServer(
    t,
    ...[1, 2].flatMap(() => [
      (answer: Answer) => answer.json(200, { ...batch, results_url: `${server.url}/results` }),
      (answer: Answer) => void answer.head(200).response.write(`${JSON.stringify(line('a'))}\n`),
    ]),
  )
  const { batches } = server.client().messages
  const aborter = new AbortController()
  const unread = await batches.results('msgbatch_1', {}, { signal: aborter.signal })
  const read = await batches.results('msgbatch_1', {}, { signal: aborter.signal })
  const { controller } = read
  const iterator = read[Symbol.asyncIterator]()
  await iterator.next()
  const next = iterator.next()
  assert.equal(controller.signal.aborted, false)
  aborter.abort()
  await assert.rejects(next, { name: 'APIUserAbortError' })
  assert.equal(controller.signal.aborted, true)
  assert.equal(unread.controller.signal.aborted, true)
  await server.idle()
})

test('results() sends no key to another host: it reads them from the host of the client', async (t) => {
  const other = await faultServer(t, (answer) => answer.head(200).end())
  const server = await faultServer(
    t,
    (answer) => answer.json(200, { ...batch, results_url: `${other.url}/x` }),
    (answer) => answer.head(200).end(),
  )
  assert.deepEqual(await Array.fromAsync(await server.client().messages.batches.results('msgbatch_1')), [])
  assert.equal(other.requests.length, 0)
  assert.equal(server.requests[1]!.path, '/v1/messages/batches/msgbatch_1/results')
})

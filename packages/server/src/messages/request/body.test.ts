import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { ErrorBody, MessageCreateParams } from 'colloquy/protocol'
import { encodeJson } from 'colloquy/protocol'
import { script } from 'colloquy/engines'
import * as fc from 'fast-check'
import { startCpuTime } from '../../../../../test/cpu-time.ts'
import { createServer, type ServerOptions } from '../../app.ts'
import { parseBody } from './json-body.ts'

const base = { model: 'claude-sonnet-4-6', max_tokens: 50, messages: [{ role: 'user', content: 'hi' }] }
const json = JSON.stringify(base)

interface Answer {
  status: number
  message?: string
  code?: string | undefined
}

async function send(
  body: BodyInit,
  headers: Record<string, string> = {},
  options: Partial<ServerOptions> = {},
): Promise<Answer> {
  const { fetch } = createServer({ engine: script(['ok']), ...options })
  const init = { method: 'POST', headers: { 'anthropic-version': '2023-06-01', ...headers }, body, duplex: 'half' }
  const response = await fetch('http://test/v1/messages', init)
  const { error } = (await response.json()) as Partial<ErrorBody>
  return error
    ? { status: response.status, message: error.message, code: error.details?.error_code }
    : { status: response.status }
}

function bodyOf(
  pull: (controller: ReadableStreamDefaultController<Uint8Array>) => void | Promise<void>,
): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull })
}

suite('a body that is not valid JSON is refused', () => {
  const invalid: [body: string, problem: string][] = [
    ['', 'it is empty'],
    ['{"model":', 'it ends too early'],
    [json.replace('50', 'NaN'), 'unexpected character: line 1 column 43'],
    ['{\n  "a": 1,\n  }', 'unexpected character: line 3 column 3'],
    ['{"a":1}x', 'unexpected character: line 1 column 8'],
    ['{"a":[1,,2]}', 'unexpected character: line 1 column 9'],
    ['{"a":"\n"}', 'it has a control character in a string'],
    [String.raw`{"a":"\ud83d"}`, 'no low surrogate in string: line 1 column 13'],
    [String.raw`{"a":"\ud83dx"}`, 'no low surrogate in string: line 1 column 13'],
    [String.raw`{"a":"\ud83d\u0041"}`, 'invalid low surrogate in string: line 1 column 13'],
    [String.raw`{"a":"\ude00"}`, 'invalid high surrogate in string: line 1 column 7'],
    [`${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`, 'it is nested more than 2000 levels deep'],
  ]
  for (const [body, problem] of invalid) {
    test(problem, async () => {
      assert.deepEqual(await send(body), {
        status: 400,
        message: `The request body is not valid JSON: ${problem}`,
        code: undefined,
      })
    })
  }

  test('it is not UTF-8', async () => {
    const { message } = await send(new Uint8Array([0x22, 0xff, 0x22]))
    assert.equal(message, 'The request body is not valid JSON: it is not UTF-8')
  })

  test('an escaped pair, and an escaped backslash before the letter u, are accepted', async () => {
    assert.equal((await send(json.replace('hi', String.raw`\ud83d\ude00 \\ud83d`))).status, 200)
  })
})

suite('the bytes of a body', () => {
  test('may be compressed with gzip', async () => {
    assert.equal((await send(gzipSync(json), { 'content-encoding': 'gzip' })).status, 200)
  })

  test('are refused if they are not gzip', async () => {
    for (const body of [json, gzipSync(json).subarray(0, 20)])
      assert.deepEqual(await send(body, { 'content-encoding': 'gzip' }), {
        status: 400,
        message: 'Cannot read the request body: it is not valid gzip',
        code: 'request_body_encoding_invalid',
      })
  })

  test('are limited after decompression too', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000, ' '))
    const { status, code } = await send(bomb, { 'content-encoding': 'gzip' }, { maxBodyBytes: 1_000_000 })
    assert.deepEqual({ status, code }, { status: 413, code: 'request_body_too_large_after_decoding' })
  })

  test('are refused in another encoding or charset', async () => {
    const encoding = await send(json, { 'content-encoding': 'br' })
    assert.deepEqual([encoding.status, encoding.code], [400, 'request_body_encoding_unsupported'])
    const charset = await send(json, { 'content-type': 'application/json; charset=latin1' })
    assert.deepEqual([charset.status, charset.code], [400, 'unsupported_charset'])
    assert.equal((await send(json, { 'content-type': 'application/json; charset=UTF-8' })).status, 200)
  })

  test('are answered with 408 if they take longer than bodyTimeoutMs', async () => {
    const stalled = bodyOf(() => new Promise(() => {}))
    const endless = bodyOf(async (controller) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      controller.enqueue(new Uint8Array([0x20]))
    })
    for (const body of [stalled, endless]) {
      assert.deepEqual(await send(body, {}, { bodyTimeoutMs: 30 }), {
        status: 408,
        message: 'The request body took too long',
        code: 'request_body_timeout',
      })
    }
  })

  test('are refused if they break off', async () => {
    const broken = bodyOf((controller) => controller.error(new TypeError('secret')))
    const { status, message } = await send(broken)
    assert.deepEqual([status, message], [400, 'Cannot read the request body: it broke off'])
  })

  test('of all requests share maxBufferedBytes', async () => {
    const { fetch } = createServer({ engine: script(['ok', 'ok']), maxBufferedBytes: 1_000 })
    const post = (body: BodyInit): Promise<Response> =>
      fetch('http://test/v1/messages', {
        method: 'POST',
        headers: { 'anthropic-version': '2023-06-01' },
        body,
        duplex: 'half',
      } as RequestInit)
    let finish: () => void = () => {}
    let sent = 0
    const slow = post(
      bodyOf((controller) => {
        if (sent++ === 0) return controller.enqueue(new TextEncoder().encode(`${json.slice(0, -1)}${' '.repeat(800)}`))
        return new Promise<void>((resolve) => {
          finish = () => {
            controller.enqueue(new TextEncoder().encode('}'))
            controller.close()
            resolve()
          }
        })
      }),
    )
    while (sent < 2) await new Promise((resolve) => setTimeout(resolve, 1))
    assert.equal((await post(json.padEnd(500))).status, 529)
    finish()
    assert.equal((await slow).status, 200)
    assert.equal((await post(json.padEnd(500))).status, 200)
  })
})

test('parseBody() gives the value of JSON.parse() for any body, and large ones in parts', () => {
  const padding = ' '.repeat(300_000)
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (body, isLarge) => {
      const text = `{${isLarge ? padding : ''}${JSON.stringify(body, null, 1).slice(1)}`
      assert.deepEqual(parse(text), JSON.parse(text))
    }),
  )
})

test('parseBody() refuses what JSON.parse() refuses, also in large bodies', () => {
  const padding = ' '.repeat(300_000)
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom('', ',', '"', ']', '}', 'x'),
      (value, at, put) => {
        const good = JSON.stringify({ messages: [value, value], a: value })
        const text = `{${padding}${good.slice(1, at % good.length)}${put}${good.slice((at % good.length) + 1)}`
        let isValid = true
        try {
          JSON.parse(text)
        } catch {
          isValid = false
        }
        if (isValid) assert.deepEqual(parse(text), JSON.parse(text))
        else assert.throws(() => parse(text), { status: 400 })
      },
    ),
  )
})

test('parseBody() refuses a list with a missing element, wherever it is missing', () => {
  for (const list of ['[,1]', '[ ,1]', '[1,]', '[1, ]', '[1,,2]', '[,]', '[ , ]']) {
    for (const padding of ['', ' '.repeat(300_000)])
      assert.throws(() => parse(`{${padding}"messages":${list}}`), { status: 400 })
  }
})

test('parseBody() attaches the text of values that JSON.stringify() would change', () => {
  const messages = [
    '{"role":"user","content":"hi"}',
    '{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"n","input":{"b":1.0,"10":12345678901234567890,"2":1e400}}]}',
  ]
  const text = `{"model":"m","metadata":{"2":1,"1":2},"messages":[${messages.join(' , ')}]}`
  const encoded = encodeJson(parse(text) as MessageCreateParams)
  const sent = typeof encoded === 'string' ? encoded : Buffer.concat([...encoded]).toString()
  assert.equal(sent, `{"model":"m","metadata":{"2":1,"1":2},"messages":[${messages.join(',')}]}`)
})

suite('a request with 100,000 messages', () => {
  const bodies: Record<string, object[]> = {
    'of alternating roles': times(99_999, (i) => ({ role: i % 2 ? 'assistant' : 'user', content: 'a' })),
    'of the user': times(100_000, () => ({ role: 'user', content: 'a' })),
    'that are system messages': times(100_000, (i) => ({ role: i ? 'system' : 'user', content: 'a' })),
    'in one block each': [{ role: 'user', content: times(100_000, () => ({ type: 'text', text: 'a' })) }],
  }
  for (const [name, messages] of Object.entries(bodies)) {
    test(`${name} is validated while other requests are answered`, async () => {
      const { fetch } = createServer({ engine: instant, lenient: true })
      const body = JSON.stringify({ ...base, model: 'claude-opus-5', messages })
      let isDone = false
      let answered = 0
      const cpuTime = startCpuTime()
      const large = fetch('http://test/v1/messages', { method: 'POST', body }).finally(() => (isDone = true))
      while (!isDone) {
        await fetch('http://test/healthz')
        await new Promise((resolve) => setTimeout(resolve, 1))
        answered++
      }
      const cpuMs = cpuTime()
      assert.equal((await large).status, 200)
      assert.ok(answered >= 5, `${answered} other requests were answered`)
      assert.ok(cpuMs < 3_000, `took ${cpuMs} ms of CPU`)
    })
  }
})

async function* instant(): AsyncGenerator<never> {
  yield* [
    { type: 'message_start', message: { id: 'm', content: [], usage: {} } },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ] as never[]
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

function parse(text: string): unknown {
  const steps = parseBody(text)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

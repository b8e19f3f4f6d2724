import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Anthropic from 'colloquy'
import { upstream } from 'colloquy/engines'
import type { ErrorBody } from 'colloquy/protocol'
import { until } from '../../../../test/until.ts'
import { createServer } from '../app.ts'

const json = { 'content-type': 'application/json' }
const sse = { 'content-type': 'text/event-stream' }
const start =
  'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'

/** Writes until the other side leaves. */
function endless(response: ServerResponse, piece: string): void {
  const write = (): void => {
    while (!response.destroyed && response.write(piece));
    response.once('drain', write)
  }
  write()
}

const answers: Record<string, (response: ServerResponse, elsewhere: string) => void> = {
  redirect: (response, elsewhere) => response.writeHead(307, { location: elsewhere }).end(),
  'a page': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
  'deep JSON': (response) => response.writeHead(200, json).end('['.repeat(200_000) + ']'.repeat(200_000)),
  'JSON of another form': (response) => response.writeHead(200, json).end('[7]'),
  'many headers': (response) => {
    const headers = Array.from({ length: 900 }, (_, index) => [`x-${index}`, 'v'.repeat(200)])
    response.writeHead(200, Object.fromEntries(headers) as Record<string, string>).end('{}')
  },
  'an endless error': (response) => endless(response.writeHead(500, json), 'e'.repeat(65_536)),
  'an endless line': (response) => endless(response.writeHead(200, sse), `data: ${'x'.repeat(65_536)}`),
  'UTF-16': (response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-16' }).end(Buffer.from(start, 'utf16le')),
  'no events': (response) => response.writeHead(200, sse).end('data: \0\n\ndata: null\n\ndata: 7\n\n'),
}

let answering: (response: ServerResponse) => void
let followed = 0
const elsewhere = createHttpServer((_, response) => {
  followed++
  response.end('{"secret":"of the machine"}')
}).listen(0, '127.0.0.1')
const api = createHttpServer((request, response) => {
  request.resume().once('end', () => answering(response))
}).listen(0, '127.0.0.1')
await Promise.all([once(elsewhere, 'listening'), once(api, 'listening')])
after(() => {
  for (const each of [elsewhere, api]) {
    each.closeAllConnections()
    each.close()
  }
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** The bytes that this process has kept. */
function keptBytes(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('hostile upstreams leave no memory behind', async () => {
  const baseURL = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
  const server = createServer({ engine: upstream(new Anthropic({ baseURL, apiKey: 'k', maxRetries: 0 })) })
  const ask = async (stream: boolean): Promise<void> => {
    const body = JSON.stringify({ model: 'm', max_tokens: 5, stream, messages: [{ role: 'user', content: 'Hello' }] })
    const headers = { 'anthropic-version': '2023-06-01' }
    await (await server.fetch('http://test/v1/messages', { method: 'POST', headers, body })).text()
  }
  const all = async (): Promise<void> => {
    for (const write of Object.values(answers)) {
      answering = (response) => write(response, `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`)
      for (const stream of [true, false]) await ask(stream)
    }
  }
  await all()
  const before = keptBytes()
  for (let round = 0; round < 4; round++) await all()
  // Each round receives more than 2 MB, and an endless line much more.
  await until(() => keptBytes() - before < 1_500_000)
})

for (const [name, write] of Object.entries(answers))
  test(`an upstream that answers with ${name} becomes one error of the API`, async () => {
    answering = (response) => write(response, `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`)
    const baseURL = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
    const client = new Anthropic({ baseURL, apiKey: 'sk-upstream', maxRetries: 0 })
    // Forwarded as bytes, and read into events.
    for (const lenient of [undefined, false])
      for (const stream of [true, false]) {
        const server = createServer({ engine: upstream(client), ...(lenient === false && { lenient }) })
        const response = await server.fetch('http://test/v1/messages', {
          method: 'POST',
          headers: { 'anthropic-version': '2023-06-01' },
          body: JSON.stringify({
            model: 'claude-sonnet-4-6',
            max_tokens: 5,
            stream,
            messages: [{ role: 'user', content: 'Hello' }],
          }),
        })
        const text = await response.text()
        const found = `${lenient} ${stream}: ${response.status} ${text.slice(0, 300)}`
        assert.ok(response.status >= 500, found)
        const { error } = JSON.parse(text) as ErrorBody
        assert.equal(error.type, 'api_error', found)
        assert.notEqual(error.message, 'Internal server error', found)
        assert.doesNotMatch(text, /sk-upstream|127\.0\.0\.1|of the machine/)
      }
    assert.equal(followed, 0)
  })

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Engine, type ScriptEngine, engineFetch, script } from 'colloquy/engines'
import { createServer } from './index.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

type Fetch = (url: string, init: RequestInit) => Promise<Response>

const ways: Record<string, (engine: Engine) => Fetch> = {
  'engineFetch()': (engine) => engineFetch(engine),
  'a server': (engine) => {
    const server = createServer({ engine })
    return (url, init) => server.fetch(url, init)
  },
}

for (const [name, fetchOf] of Object.entries(ways)) {
  test(`an abort reaches the engine of ${name} after garbage collection`, { timeout: 120_000 }, async () => {
    const stalling: ScriptEngine = script([{ reply: 'Hello there', stall: true, after: 2 }])
    const ended = Promise.withResolvers<void>()
    async function* engine(...request: Parameters<Engine>): ReturnType<Engine> {
      try {
        yield* stalling(...request)
      } finally {
        ended.resolve()
      }
    }
    const controller = new AbortController()
    const response = await fetchOf(engine)('http://colloquy.test/v1/messages', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01', 'x-api-key': 'any' },
      body: JSON.stringify({
        model: 'claude-sonnet-4-6',
        max_tokens: 9,
        stream: true,
        messages: [{ role: 'user', content: 'Hi' }],
      }),
      signal: controller.signal,
    })
    assert.equal(response.status, 200)
    const read = readToEnd(response.body!.getReader()).catch(() => {})
    for (let pass = 0; pass < 5; pass++) {
      collectGarbage()
      await sleep(5)
    }
    controller.abort()
    // The engine would wait for ever.
    await ended.promise
    await read
  })
}

async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

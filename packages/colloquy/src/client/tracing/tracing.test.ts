import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import Anthropic, { type ClientOptions, type TracerProvider } from 'colloquy'

const api = Symbol.for('opentelemetry.js.api.1')
const globals = globalThis as Record<symbol, unknown>
afterEach(() => delete globals[api])

const params = { model: 'claude-sonnet-4-6', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Hello' }] }
const reply = { id: 'msg_1', type: 'message', role: 'assistant', content: [], usage: { input_tokens: 1 } }

function ask(options: ClientOptions, sent: Headers[] = []): Promise<unknown> {
  const client = new Anthropic({
    apiKey: 'sk-ant-test',
    fetch: async (_, init) => {
      sent.push(new Headers(init?.headers))
      return Response.json(reply)
    },
    ...options,
  })
  return client.messages.create(params)
}

/** A provider that writes down what its spans are told. */
function recording(seen: unknown[], isRecording = true): TracerProvider {
  return {
    getTracer: (name) => ({
      startSpan(span) {
        seen.push(`${name} ${span}`)
        return {
          spanContext: () => ({ traceId: isRecording ? 'a' : '0', spanId: 'b', traceFlags: 1 }),
          isRecording: () => isRecording,
          setAttribute: () => {},
          setStatus: (status: { code: number }) => seen.push(status.code),
          end: () => seen.push('ended'),
        }
      },
    }),
  }
}

test('a span is made with the provider of the option, without a registered context', async () => {
  const seen: unknown[] = []
  await ask({ openTelemetry: { tracerProvider: recording(seen) } })
  assert.deepEqual(seen, ['colloquy anthropic.messages.create', 1, 'ended'])
})

test('a span is made with the registered provider', async () => {
  const seen: unknown[] = []
  globals[api] = { trace: recording(seen) }
  await ask({})
  assert.deepEqual(seen, ['colloquy anthropic.messages.create', 1, 'ended'])
})

test('a span that has no effect is left alone', async () => {
  const seen: unknown[] = []
  await ask({ openTelemetry: { tracerProvider: recording(seen, false) } })
  assert.deepEqual(seen, ['colloquy anthropic.messages.create'])
})

test('a path that is not a method of the API has no span', async () => {
  const seen: unknown[] = []
  const openTelemetry = { tracerProvider: recording(seen) }
  const client = new Anthropic({ apiKey: 'sk-ant-test', openTelemetry, fetch: async () => Response.json({}) })
  await client.get('/v1/other')
  assert.deepEqual(seen, [])
})

test('the trace context replaces a header of the caller', async () => {
  const sent: Headers[] = []
  globals[api] = {
    trace: recording([]),
    propagation: {
      inject: (_: unknown, carrier: object, setter: { set(carrier: object, name: string, value: string): void }) =>
        setter.set(carrier, 'TraceParent', 'ours'),
    },
  }
  await ask({ defaultHeaders: { traceparent: 'theirs' } }, sent)
  assert.equal(sent[0]?.get('traceparent'), 'ours')
})

test('a failure of the provider, the propagator or a span never fails a request', async () => {
  const fail = (): never => {
    throw new Error('Broken telemetry')
  }
  const span = { spanContext: () => ({ traceId: 'a' }), isRecording: () => true }
  const broken = { setAttribute: fail, setStatus: fail, end: fail }
  for (const trace of [
    { getTracer: fail },
    { getTracer: () => ({ startSpan: fail }) },
    { getTracer: () => ({ startSpan: () => ({ ...span, ...broken }) }) },
    { getTracer: () => ({ startSpan: () => ({ ...span, ...broken, isRecording: fail }) }) },
  ]) {
    globals[api] = { trace, propagation: { inject: fail } }
    assert.equal(((await ask({})) as { id: string }).id, 'msg_1')
  }
})

import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { after, describe, test } from 'node:test'
import * as api from '@opentelemetry/api'
import Anthropic from 'colloquy'
import { offline, route, script, upstream } from 'colloquy/engines'
import { defineModels } from 'colloquy/protocol'
import { openAccess } from '../access/open-access.ts'
import { createServer, type Server } from '../app.ts'
import { openServerStore } from '../state/server-store.ts'
import { prometheusMetrics } from './metrics.ts'
import { listen } from './node.ts'
import type { AccessEntry } from './request-log.ts'
import { openTelemetry } from './telemetry.ts'

function clientOf(server: Server, apiKey = 'any'): Anthropic {
  const fetch = (input: Request | URL | string, init?: RequestInit): Promise<Response> =>
    server.fetch(new Request(input, init))
  return new Anthropic({ fetch, baseURL: 'http://server.test', apiKey, maxRetries: 0 })
}

const request = {
  model: 'claude-opus-5-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Count to 3' }],
}

/** The value of a series of the text format. */
function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `))
  assert.ok(line, `${series} is not in:\n${text}`)
  return Number(line.slice(series.length + 1))
}

describe('GET /metrics', () => {
  test('counts requests, tokens, cost, and the engines that were tried', async () => {
    const busy = script([{ error: { type: 'overloaded_error' }, times: 1 }])
    const engine = route({ engines: { busy, offline: offline() }, routes: { '*': ['busy', 'offline'] } })
    const server = createServer({ engine, metrics: prometheusMetrics({ processMetrics: false }) })
    const client = clientOf(server)
    await client.messages.create(request)
    const { usage } = await client.messages.stream(request).finalMessage()
    await assert.rejects(client.messages.create({ ...request, max_tokens: -1 }))
    await client.messages.countTokens({ model: request.model, messages: request.messages })
    await server.fetch('http://server.test/a/path/of/somebody')
    const response = await server.fetch('http://server.test/metrics')
    assert.match(response.headers.get('content-type')!, /^text\/plain/)
    const text = await response.text()
    const series = (name: string): number => valueOf(text, name)
    assert.equal(
      series('colloquy_requests_total{path="/v1/messages",status="200",model="claude-opus-5-5",stream="false"}'),
      1,
    )
    assert.equal(
      series('colloquy_requests_total{path="/v1/messages",status="200",model="claude-opus-5-5",stream="true"}'),
      1,
    )
    assert.equal(series('colloquy_requests_total{path="/v1/messages",status="400",model="",stream="false"}'), 1)
    assert.equal(series('colloquy_requests_total{path="other",status="404",model="",stream="false"}'), 1)
    assert.equal(series('colloquy_tokens_total{model="claude-opus-5-5",kind="output"}'), 2 * usage.output_tokens)
    assert.ok(series('colloquy_cost_usd_total{model="claude-opus-5-5"}') > 0)
    assert.equal(series('colloquy_engine_attempts_total{engine="busy",outcome="overloaded_error"}'), 1)
    assert.equal(series('colloquy_engine_attempts_total{engine="offline",outcome="replied"}'), 2)
    assert.equal(series('colloquy_first_event_seconds_count{model="claude-opus-5-5"}'), 2)
    // The request for the metrics itself.
    assert.equal(series('colloquy_requests_in_flight'), 1)
  })

  test('counts the cost that the ledger has: none of a free engine, and that of a model with a price of its own', async () => {
    const models = defineModels([{ id: 'mine', like: 'claude-haiku-4-5' }])
    const store = await openServerStore(':memory:')
    const costsOf = async (isPriced: boolean, model: string): Promise<Record<string, unknown>> => {
      const found: Record<string, unknown> = {}
      const onSettled = ({ cost }: { cost: string | null }): unknown => (found['ledger'] = cost && Number(cost) / 1e12)
      const access = await openAccess({ store, anonymous: true, isPriced, models, onSettled })
      const metrics = prometheusMetrics({ processMetrics: false })
      const log = ({ usd }: AccessEntry): unknown => (found['log'] = usd && Number(usd))
      const server = createServer({ engine: offline(), access, models, metrics, log })
      await clientOf(server).messages.create({ ...request, model })
      await access.close()
      const [, metric] = /^colloquy_cost_usd_total\{.*\} (.*)$/m.exec(await metrics.text()) ?? []
      return { ...found, metric: metric === undefined ? null : Number(metric) }
    }
    const [local, mine] = [await costsOf(false, 'mine'), await costsOf(true, 'mine')]
    await store.close()
    assert.deepEqual(local, { ledger: 0, log: 0, metric: 0 })
    const { ledger } = mine
    assert.ok(Number(ledger) > 0)
    assert.deepEqual(mine, { ledger, log: ledger, metric: ledger })
  })

  test('has no series for each name that a client invents', async () => {
    const metrics = prometheusMetrics({ processMetrics: false })
    const server = createServer({ engine: script([{ reply: 'Hi', times: 200 }]), lenient: true, metrics })
    const client = clientOf(server)
    for (let index = 0; index < 120; index++) await client.messages.create({ ...request, model: `model-${index}` })
    const text = await metrics.text()
    const models = new Set([...text.matchAll(/colloquy_requests_total\{.*?model="([^"]*)"/g)].map(([, model]) => model))
    assert.equal(models.size, 101)
    assert.ok(models.has('other'))
  })

  test('is not there by default, and takes a key if the server has keys', async () => {
    const plain = createServer({ engine: offline() })
    assert.equal((await plain.fetch('http://server.test/metrics')).status, 404)
    const server = createServer({ engine: offline(), keys: ['sk-one'], metrics: prometheusMetrics() })
    assert.equal((await server.fetch('http://server.test/metrics')).status, 401)
    const headers = { authorization: 'Bearer sk-one' }
    const text = await (await server.fetch('http://server.test/metrics', { headers })).text()
    assert.match(text, /^process_cpu_seconds_total /m)
  })
})

test('/readyz answers 503 from drain() on, while requests are still answered', async () => {
  const server = createServer({ engine: offline() })
  assert.equal((await server.fetch('http://server.test/readyz')).status, 200)
  server.drain()
  const response = await server.fetch('http://server.test/readyz')
  assert.deepEqual([response.status, await response.json()], [503, { status: 'draining', problems: [] }])
  assert.equal((await server.fetch('http://server.test/healthz')).status, 200)
  await clientOf(server).messages.create(request)
})

/** The part of an SDK of OpenTelemetry that the tests need: spans in a list, and contexts that follow asynchronous work. */
interface FinishedSpan {
  name: string
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  attributes: api.Attributes
  status: api.SpanStatusCode
}

function registerSdk(): {
  spans: FinishedSpan[]
  measured: Map<string, { value: number; attributes: api.Attributes }[]>
} {
  const spans: FinishedSpan[] = []
  const storage = new AsyncLocalStorage<api.Context>()
  api.context.setGlobalContextManager({
    active: () => storage.getStore() ?? api.ROOT_CONTEXT,
    with: (context, work, thisArg, ...args) => storage.run(context, () => work.apply(thisArg as never, args)),
    bind: (_context, target) => target,
    enable: () => ({}) as api.ContextManager,
    disable: () => ({}) as api.ContextManager,
  })
  const hex = (length: number): string => randomBytes(length).toString('hex')
  api.trace.setGlobalTracerProvider({
    getTracer: () => ({
      startSpan(name, { attributes = {} } = {}, context = api.context.active()) {
        const parent = api.trace.getSpanContext(context)
        const ids = { traceId: parent?.traceId ?? hex(16), spanId: hex(8), traceFlags: 1 }
        const span: FinishedSpan = {
          name,
          traceId: ids.traceId,
          spanId: ids.spanId,
          parentSpanId: parent?.spanId,
          attributes: { ...attributes },
          status: api.SpanStatusCode.UNSET,
        }
        const own = {
          spanContext: () => ids,
          setAttribute: (key: string, value: api.AttributeValue) => (
            Object.assign(span.attributes, { [key]: value }),
            own
          ),
          setAttributes: (more: api.Attributes) => (Object.assign(span.attributes, more), own),
          setStatus: ({ code }: api.SpanStatus) => ((span.status = code), own),
          updateName: (other: string) => ((span.name = other), own),
          isRecording: () => true,
          end: () => void spans.push(span),
          addEvent: () => own,
          addLink: () => own,
          addLinks: () => own,
          recordException: () => {},
        }
        return own
      },
      startActiveSpan: () => {
        throw new Error('not used')
      },
    }),
  })
  api.propagation.setGlobalPropagator({
    inject(context, carrier, setter) {
      const found = api.trace.getSpanContext(context)
      if (found) setter.set(carrier, 'traceparent', `00-${found.traceId}-${found.spanId}-01`)
    },
    extract(context, carrier, getter) {
      const [, traceId, spanId] = /^00-(\w+)-(\w+)-/.exec(String(getter.get(carrier, 'traceparent'))) ?? []
      return traceId && spanId ? api.trace.setSpanContext(context, { traceId, spanId, traceFlags: 1 }) : context
    },
    fields: () => ['traceparent'],
  })
  const measured = new Map<string, { value: number; attributes: api.Attributes }[]>()
  const noop = api.createNoopMeter()
  api.metrics.setGlobalMeterProvider({
    getMeter: () =>
      Object.assign(Object.create(noop) as api.Meter, {
        createHistogram: (name: string) => ({
          record: (value: number, attributes: api.Attributes) =>
            void measured.set(name, [...(measured.get(name) ?? []), { value, attributes }]),
        }),
      }),
  })
  after(() => [api.context, api.trace, api.propagation, api.metrics].forEach((each) => each.disable()))
  return { spans, measured }
}

test('openTelemetry() continues the trace of the client, above the spans of an upstream', async () => {
  const { spans, measured } = registerSdk()
  const inner = await listen(createServer({ engine: offline() }), { port: 0 })
  after(() => inner.close({ graceMs: 0 }))
  const engine = upstream(new Anthropic({ baseURL: inner.url, apiKey: 'any', maxRetries: 0 }))
  const server = createServer({ engine, observers: [await openTelemetry()] })
  const outer = await listen(server, { port: 0 })
  after(() => outer.close({ graceMs: 0 }))
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const send = async (body: object): Promise<unknown> => {
    const headers = { 'anthropic-version': '2023-06-01', traceparent: `00-${traceId}-b7ad6b7169203331-01` }
    const response = await fetch(`${outer.url}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(body) })
    return response.text()
  }
  await send({ ...request, stream: true })
  while (spans.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  const served = spans.find(({ parentSpanId }) => parentSpanId === 'b7ad6b7169203331')!
  assert.deepEqual([served.traceId, served.name], [traceId, 'chat claude-opus-5-5'])
  const child = spans.find(({ parentSpanId }) => parentSpanId === served.spanId)
  assert.ok(child, JSON.stringify(spans.map(({ name, parentSpanId }) => [name, parentSpanId])))
  assert.equal(served.attributes['gen_ai.operation.name'], 'chat')
  assert.equal(served.attributes['gen_ai.request.model'], 'claude-opus-5-5')
  assert.ok(Number(served.attributes['gen_ai.usage.input_tokens']) > 0)
  assert.deepEqual(served.attributes['gen_ai.response.finish_reasons'], ['end_turn'])
  assert.doesNotMatch(JSON.stringify(spans), /Count to 3/)

  await send({ ...request, max_tokens: 'many' })
  while (!spans.some(({ attributes }) => attributes['http.response.status_code'] === 400))
    await new Promise((resolve) => setTimeout(resolve, 5))
  const failed = spans.find(({ attributes }) => attributes['http.response.status_code'] === 400)!
  assert.deepEqual(
    [failed.attributes['error.type'], failed.status],
    ['invalid_request_error', api.SpanStatusCode.ERROR],
  )

  assert.deepEqual(
    [...measured.keys()].toSorted((a, b) => a.localeCompare(b)),
    ['gen_ai.client.token.usage', 'gen_ai.server.request.duration', 'gen_ai.server.time_to_first_token'],
  )
  const [duration] = measured.get('gen_ai.server.request.duration')!
  assert.equal(duration!.attributes['gen_ai.provider.name'], 'anthropic')
})

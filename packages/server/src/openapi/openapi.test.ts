import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { openConversations, memoryStore } from 'colloquy/conversation'
import { offline } from 'colloquy/engines'
import { checkJson, type ErrorBody, type JsonSchema } from 'colloquy/protocol'
import fc from 'fast-check'
import { Hono } from 'hono'
import { addKeyRoutes } from '../admin/key-routes.ts'
import { addUsageRoutes } from '../admin/usage-routes.ts'
import { openAccess, type StoreAccess } from '../access/open-access.ts'
import { createServer, type Server } from '../app.ts'
import { addChangeRoutes } from '../conversations/groups/changing.ts'
import { addReadRoutes } from '../conversations/groups/reading.ts'
import { addTurnRoutes } from '../conversations/groups/turns.ts'
import { conversationRoutes, type ConversationRoutes } from '../conversations/routes.ts'
import { addBatches } from '../messages/batches/routes.ts'
import { addFiles } from '../messages/files/routes.ts'
import { prometheusMetrics } from '../operate/metrics.ts'
import { serverRoutes } from '../routes.ts'
import { openServerStore, type ServerStore } from '../state/server-store.ts'
import type { OpenApiDocument } from './document.ts'

// COLLOQUY_FUZZ=100000 sends that many requests, COLLOQUY_SEED=n others than usual.
const { COLLOQUY_FUZZ: numRuns = 600, COLLOQUY_SEED: seed = 1 } = process.env
// On a busy machine, so many requests take longer than other tests may.
const timeout = 1_200_000
const base = 'http://colloquy.test'
const admin = 'admin-key'

let store: ServerStore
let access: StoreAccess
let routes: ConversationRoutes
let server: Server
let document: OpenApiDocument
/** Values for the parameters of paths that exist. */
const known: Record<string, string[]> = { index: ['0', '1'], messageId: ['1', '2'], callId: ['toolu_1'], id: [] }

interface OperationObject {
  operationId: string
  parameters?: { in: string; name: string; schema: JsonSchema }[]
  requestBody?: { content: Record<string, { schema: JsonSchema }> }
  responses: Record<string, { content: Record<string, { schema: JsonSchema }> }>
}

before(async () => {
  store = await openServerStore(':memory:')
  access = await openAccess({ store, anonymous: true })
  const conversations = openConversations({ engine: offline(), store: memoryStore() })
  routes = conversationRoutes({ conversations, defaults: { model: 'claude-sonnet-4-6', max_tokens: 5 } })
  server = createServer({
    engine: offline(),
    access,
    store,
    routes: [routes],
    batches: { pollMs: 20 },
    metrics: prometheusMetrics(),
  })
  document = (await (await server.fetch(`${base}/openapi.json`)).json()) as OpenApiDocument
})
after(async () => {
  await routes.close()
  await server.close()
  await access.close()
  await store.close()
})

test('the document is valid OpenAPI, with a name of its own for each operation', async () => {
  const { valid, errors } = await new Validator().validate(
    JSON.parse(JSON.stringify(document)) as Record<string, unknown>,
  )
  assert.equal(valid, true, JSON.stringify(errors))
  const ids = operations().map(({ operation }) => operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
  const names = Object.keys(document.components.schemas)
  const used = new Set(JSON.stringify(document).match(/(?<=#\/components\/schemas\/)\w+/g))
  assert.deepEqual(
    names.filter((name) => !used.has(name)),
    [],
  )
  assert.deepEqual(
    [...used].filter((name) => !names.includes(name)),
    [],
  )
})

test('the document has each route of the server, and no other', () => {
  const apps = [new Hono(), new Hono(), new Hono(), new Hono()] as [Hono, Hono, Hono, Hono]
  const nothing = {} as never
  addKeyRoutes(apps[0], nothing)
  addUsageRoutes(apps[0], nothing)
  for (const add of [addReadRoutes, addTurnRoutes, addChangeRoutes]) add(apps[1] as never, nothing)
  addBatches(apps[2] as never, nothing)
  addFiles(apps[3] as never, nothing)
  const metrics = nothing
  const own = serverRoutes({ engine: offline(), metrics: { metrics } as never }, { state: nothing } as never)
  const found = [...apps, own]
    .flatMap((app) => (app as Hono).routes)
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
  const described = operations().map(({ method, path }) => `${method} ${path}`)
  assert.deepEqual(described.toSorted(), [...new Set(found)].toSorted())
})

test('a server without a store, keys and metrics describes none of their routes', async () => {
  const bare = createServer({ engine: offline() })
  const { paths } = (await (await bare.fetch(`${base}/openapi.json`)).json()) as OpenApiDocument
  assert.deepEqual(
    Object.keys(paths).filter((path) => /admin|batches|files|metrics|conversations/.test(path)),
    [],
  )
  assert.ok('/v1/messages' in paths)
})

suite('requests by the document', () => {
  test('a request of each kind is accepted, and its response is as described', async () => {
    const params = { model: 'claude-sonnet-4-6', max_tokens: 20, messages: [{ role: 'user', content: 'Hello' }] }
    const tools = [{ name: 'f', description: 'd', input_schema: { type: 'object', properties: {} } }]
    const message = { role: 'user', content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }] }
    await asked('POST', '/v1/messages', params)
    await asked('POST', '/v1/messages', {
      ...params,
      messages: [message],
      system: 'S',
      tools,
      thinking: { type: 'adaptive' },
    })
    await asked('POST', '/v1/messages/count_tokens', params)
    const models = (await asked('GET', '/v1/models')) as { data: { id: string }[] }
    await asked('GET', '/v1/models/{id}', undefined, { id: models.data[0]!.id })
    const batch = (await asked('POST', '/v1/messages/batches', {
      requests: [{ custom_id: 'a', params }],
    })) as Identified
    await asked('GET', '/v1/messages/batches')
    const isOpen = async (): Promise<boolean> =>
      ((await asked('GET', '/v1/messages/batches/{id}', undefined, batch)) as { ended_at: unknown }).ended_at === null
    while (await isOpen()) await new Promise((resolve) => setTimeout(resolve, 10))
    await asked('GET', '/v1/messages/batches/{id}/results', undefined, batch)
    const form = new FormData()
    form.set('file', new File(['abc'], 'a.txt', { type: 'text/plain' }))
    const uploaded = await server.fetch(`${base}/v1/files`, { method: 'POST', headers, body: form })
    const file = (await checked('POST', '/v1/files', uploaded)) as Identified
    await asked('GET', '/v1/files')
    await asked('GET', '/v1/files/{id}', undefined, file)
    const root = (await asked('POST', '/admin/keys', { name: 'root', is_admin: true })) as { secret: string }
    headers['x-api-key'] = root.secret
    const settings = { models: ['claude-*'], limits: { requests_per_minute: 5 }, budgets: [{ usd: '2.5', per: 'day' }] }
    const key = (await asked('POST', '/admin/keys', { name: 'ada', ...settings })) as Identified
    await asked('GET', '/admin/keys')
    await asked('POST', '/admin/keys/{id}', { expires_at: '2030-01-01' }, key)
    await asked('POST', '/admin/keys/{id}/rotate', { grace_seconds: 5 }, key)
    await asked('GET', '/admin/usage')
    const requests = (await asked('GET', '/admin/requests')) as { data: Identified[] }
    await asked('GET', '/admin/requests/{id}', undefined, requests.data[0])
    const conversation = (await asked('POST', '/api/conversations', {
      title: 'T',
      settings: { max_tokens: 9 },
    })) as Identified
    const sent = await server.fetch(`${base}/api/conversations/${conversation.id}/send`, {
      method: 'POST',
      headers,
      body: '{"content":"Hi"}',
    })
    await sent.text()
    await asked('GET', '/api/conversations')
    await asked('GET', '/api/conversations/{id}', undefined, conversation)
    await asked('GET', '/api/conversations/{id}/messages', undefined, conversation)
    await asked('GET', '/api/conversations/{id}/tree', undefined, conversation)
    const reply = { ...conversation, messageId: '2' }
    await asked('GET', '/api/conversations/{id}/messages/{messageId}/cost', undefined, reply)
    await asked('POST', '/api/conversations/{id}/preview', { content: 'More' }, conversation)
    await asked('POST', '/api/conversations/{id}/undo', { turns: 1 }, conversation)
    await asked('GET', '/readyz')
    await asked('GET', '/healthz')
    known['id'] = [batch.id, file.id, key.id, conversation.id, 'claude-sonnet-4-6']
  })

  test('requests made from the document get no 5xx, and a 400 if its schema refuses them', { timeout }, async () => {
    const each = fc.constantFrom(...operations()).chain(requestOf)
    const property = fc.asyncProperty(each, async ({ method, path, url, body, schema }) => {
      const init = { method, headers, ...(body !== undefined && { body }) }
      const response = await within(server.fetch(`${base}${url}`, init))
      const text = await within(readSome(response))
      const asked = `${method} ${url} ${body}: ${response.status} ${text.slice(0, 300)}`
      assert.ok(response.status < 500, asked)
      if (response.status >= 400) assert.equal((JSON.parse(text) as ErrorBody).type, 'error', asked)
      if (schema === undefined || isAccepted(schema, JSON.parse(body!))) return
      // Something that does not exist is told first.
      assert.ok(path.includes('{') ? response.status >= 400 : response.status === 400, asked)
    })
    await fc.assert(property, { numRuns: Number(numRuns), seed: Number(seed) })
  })
})

type Identified = { id: string }

const headers: Record<string, string> = { 'anthropic-version': '2026-10-21', 'x-api-key': admin }

function operations(): { method: string; path: string; operation: OperationObject }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      return { method: method.toUpperCase(), path, operation: operation as OperationObject }
    }),
  )
}

function isAccepted(schema: JsonSchema, value: unknown): boolean {
  return checkJson({ ...schema, components: document.components }, value).length === 0
}

/** Sends a request that must be accepted, and returns its response. */
async function asked(method: string, path: string, body?: unknown, values: object = {}): Promise<unknown> {
  const { operation } = operations().find((each) => each.method === method && each.path === path)!
  const schema = operation.requestBody?.content['application/json']?.schema
  if (schema) assert.ok(isAccepted(schema, body), `${method} ${path} ${JSON.stringify(body)}`)
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (values as Record<string, string>)[name]!)
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
  return checked(method, path, await server.fetch(`${base}${url}`, init))
}

/** The value of a response, which must be as the document says. */
async function checked(method: string, path: string, response: Response): Promise<unknown> {
  const { operation } = operations().find((each) => each.method === method && each.path === path)!
  const text = await response.text()
  const described = operation.responses[response.status]
  assert.ok(described, `${method} ${path}: ${response.status} ${text}`)
  const type = response.headers.get('content-type')!.split(';')[0]!
  const { schema } = described.content[type]!
  for (const line of type === 'application/json' ? [text] : text.trimEnd().split('\n')) {
    const issues = checkJson({ ...schema, components: document.components }, JSON.parse(line))
    assert.deepEqual(issues, [], `${method} ${path}: ${line}`)
  }
  return JSON.parse(type === 'application/json' ? text : 'null')
}

interface Asked {
  method: string
  path: string
  url: string
  body: string | undefined
  schema: JsonSchema | undefined
}

const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    null,
    -1,
    1.5,
    '',
    '__proto__',
    [],
    {},
    [[]],
    { type: 'text' },
    '2026-02-30',
    'x'.repeat(300),
  ),
)

/** A request for a route: by the document, or with something odd in it. */
function requestOf({ method, path, operation }: ReturnType<typeof operations>[number]): fc.Arbitrary<Asked> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
  const values = fc.record(Object.fromEntries(names.map((name) => [name, pathValue(name)])))
  const schema = operation.requestBody?.content['application/json']?.schema
  const query = fc.record(
    Object.fromEntries(
      (operation.parameters ?? [])
        .filter((each) => each.in === 'query')
        .map((each) => [each.name, queryValue(each.schema)]),
    ),
    { requiredKeys: [] },
  )
  const body = schema
    ? fc.oneof(valueOf(schema, 6), damaged(valueOf(schema, 6))).map((value) => JSON.stringify(value))
    : fc.constant(undefined)
  return fc.record({ values, query, body }).map(({ values, query, body }) => {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent((values as Record<string, string>)[name]!),
    )
    const search = new URLSearchParams(query as Record<string, string>).toString()
    return {
      method,
      path,
      url: search === '' ? filled : `${filled}?${search}`,
      body,
      schema: body === undefined ? undefined : schema,
    }
  })
}

function pathValue(name: string): fc.Arbitrary<string> {
  return fc.oneof(
    fc.nat().map((pick) => known[name]![pick % Math.max(1, known[name]!.length)] ?? 'none'),
    fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !/^\.{1,2}$/.test(text) && text.isWellFormed()),
  )
}

function queryValue(schema: JsonSchema): fc.Arbitrary<string> {
  return fc.oneof(
    valueOf(schema, 2).map(String),
    fc.constantFrom('', '0', '-1', '1e3', 'x', '9'.repeat(30), '2026-13-45'),
    fc.string(),
  )
}

/** A value that a schema accepts, mostly. */
function valueOf(schema: JsonSchema | boolean, depth: number): fc.Arbitrary<unknown> {
  if (typeof schema === 'boolean') return junk
  const {
    $ref,
    anyOf,
    oneOf,
    enum: values,
    const: constant,
    type,
    items,
    properties,
    required = [],
  } = schema as Keywords
  if ($ref) return valueOf(document.components.schemas[$ref.split('/').at(-1)!]!, depth)
  const several = anyOf ?? oneOf
  if (several) return fc.oneof(...several.map((each) => valueOf(each, depth)))
  if (values) return fc.constantFrom(...values)
  if (constant !== undefined) return fc.constant(constant)
  if (properties && depth > 0) {
    const usable = Object.entries(properties).filter(([, each]) => typeof each === 'object' && !('x-beta' in each))
    const fields = Object.fromEntries(
      usable.map(([name, each]) => [name, fieldOf(name, each as JsonSchema, depth - 1)]),
    )
    return fc.record(fields, { requiredKeys: required.filter((name) => name in fields), noNullPrototype: true })
  }
  const kind = Array.isArray(type) ? type[0] : type
  if (kind === 'array') return fc.array(items ? valueOf(items, depth - 1) : junk, { maxLength: 2 })
  if (kind === 'integer' || kind === 'number') {
    const { minimum = 0, maximum = minimum + 300 } = schema as { minimum?: number; maximum?: number }
    return fc.integer({ min: minimum, max: maximum })
  }
  if (kind === 'boolean') return fc.boolean()
  if (kind === 'object') return fc.dictionary(fc.string({ maxLength: 3 }), junk, { maxKeys: 2, noNullPrototype: true })
  return fc.oneof(fc.constantFrom('a', 'toolu_1', 'Hello'), fc.string({ maxLength: 8 }))
}

interface Keywords {
  $ref?: string
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  enum?: unknown[]
  const?: unknown
  type?: string | string[]
  items?: JsonSchema
  properties?: Record<string, JsonSchema | boolean>
  required?: string[]
}

function fieldOf(name: string, schema: JsonSchema, depth: number): fc.Arbitrary<unknown> {
  if (name === 'model') return fc.constantFrom('claude-sonnet-4-6', 'claude-opus-5', 'x')
  return valueOf(schema, depth)
}

/** The value with something odd at one of its fields. */
function damaged(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(value, junk, fc.array(fc.nat(9), { minLength: 1, maxLength: 5 })).map(([whole, odd, picks]) => {
    const copy = structuredClone(whole)
    let target = copy as Record<string, unknown>
    for (const [depth, pick] of picks.entries()) {
      const keys = Object.keys(target)
      const key = keys[pick % Math.max(1, keys.length)] ?? 'more'
      const inner = target[key]
      if (depth === picks.length - 1 || typeof inner !== 'object' || inner === null) {
        target[pick === 9 ? `${key}_more` : key] = odd
        return copy
      }
      target = inner as Record<string, unknown>
    }
    return copy
  })
}

/** Streams of changes never end. */
async function readSome(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text()
  const reader = response.body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return new TextDecoder().decode(value)
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('took more than 2 minutes')), 120_000)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

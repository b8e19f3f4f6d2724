import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { circle, nested, plainValues, unwritableObjects } from '../../../../test/wrong-values.ts'
import { Anthropic, AnthropicError } from '../index.ts'

// Every method of the client with arguments that its types exclude. A program without types gets one clear error for each, or
// the request is sent and the API says what is wrong with it.

const hello = { model: 'claude-sonnet-4-6', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }
const reply = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  content: [],
  model: 'm',
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
  data: [],
  has_more: false,
  results_url: 'http://colloquy.test/results',
}
const fetch = async (): Promise<Response> => Response.json(reply)
const own = { apiKey: 'key', baseURL: 'http://colloquy.test', fetch, maxRetries: 0, logger: { warn: () => {} } }

/** Without its types. */
// oxlint-disable-next-line typescript/no-explicit-any
type Untyped = any
const client: Untyped = new Anthropic(own as never)

const calls: Record<string, (value: Untyped) => unknown> = {
  'new Anthropic()': (value) => new Anthropic(value),
  'withOptions()': (value) => client.withOptions(value),
  'request()': (value) => client.request(value),
  'get()': (value) => client.get('/v1/x', value),
  'post() with a body': (value) => client.post('/v1/x', { body: value }),
  'create()': (value) => client.messages.create(value),
  'create() with options': (value) => client.messages.create(hello, value),
  'stream()': (value) => client.messages.stream(value).finalMessage(),
  'stream() with options': (value) => client.messages.stream(hello, value).finalMessage(),
  'parse()': (value) => client.messages.parse(value),
  'countTokens()': (value) => client.messages.countTokens(value),
  'countTokens() with options': (value) => client.messages.countTokens(hello, value),
  'toolRunner()': (value) => client.beta.messages.toolRunner(value).runUntilDone(),
  'toolRunner() with tools': (value) => client.beta.messages.toolRunner({ ...hello, tools: value }).runUntilDone(),
  'batches.create()': (value) => client.messages.batches.create(value),
  'batches.list()': (value) => client.messages.batches.list(value),
  'batches.list() with options': (value) => client.messages.batches.list({ betas: ['b'] }, value),
  'models.list()': (value) => client.models.list(value),
  'models.list() with options': (value) => client.models.list({}, value),
  'models.retrieve() with options': (value) => client.models.retrieve('m', {}, value),
  'files.list()': (value) => client.files.list(value),
  'files.upload()': (value) => client.files.upload(value),
  'files.upload() with a file': (value) => client.files.upload({ file: value }),
  'toFile()': (value) => Anthropic.toFile(value, 'name'),
}
for (const name of ['messages', 'max_tokens', 'model', 'betas', 'tools', 'stream', 'output_config', 'output_format']) {
  calls[`create() with ${name}`] = (value) => client.messages.create({ ...hello, [name]: value })
}

/** Calls that are made with plain values only. */
const plainCalls: Record<string, (value: Untyped) => unknown> = {
  'toFile() with a name': (value) => Anthropic.toFile('text', value),
  'a header': (value) => client.messages.create(hello, { headers: { 'x-a': value } }),
  'a header in a list': (value) => client.messages.create(hello, { headers: { 'x-a': ['b', value] } }),
  'the value of a pair': (value) => client.messages.create(hello, { headers: [['x-a', value]] }),
  'the name of a pair': (value) => client.messages.create(hello, { headers: [[value, 'b']] }),
  'a pair': (value) => client.messages.create(hello, { headers: [value] }),
}
for (const name of ['retrieve', 'cancel', 'delete', 'results'])
  plainCalls[`batches.${name}()`] = (value) => client.messages.batches[name](value)
for (const name of ['retrieveMetadata', 'download', 'delete'])
  plainCalls[`files.${name}()`] = (value) => client.files[name](value)
plainCalls['models.retrieve()'] = (value) => client.models.retrieve(value)
for (const name of [
  'headers',
  'query',
  'signal',
  'betas',
  'pings',
  'fetchOptions',
  'middleware',
  'fallbackState',
  'openTelemetry',
  'idempotencyKey',
  'loneSurrogates',
  'abortedLoops',
  'timeout',
  'maxRetries',
  'onRetry',
  'path',
  'method',
  'stream',
]) {
  plainCalls[`the request option ${name}`] = (value) => client.messages.create(hello, { [name]: value })
}
for (const name of [
  'apiKey',
  'baseURL',
  'defaultHeaders',
  'defaultQuery',
  'fetch',
  'fetchOptions',
  'proxy',
  'transport',
  'middleware',
  'loneSurrogates',
  'abortedLoops',
  'logLevel',
]) {
  plainCalls[`the client option ${name}`] = (value) =>
    (new Anthropic({ ...own, [name]: value } as never) as Untyped).messages.create(hello)
}
for (const name of ['authToken', 'credentials', 'config', 'profile']) {
  plainCalls[`the client option ${name}`] = (value) =>
    (new Anthropic({ ...own, apiKey: null, [name]: value } as never) as Untyped).messages.create(hello)
}
plainCalls['the request option defaultBaseURL'] = (value) =>
  (new Anthropic({ ...own, baseURL: null } as never) as Untyped).messages.create(hello, { defaultBaseURL: value })

/** Messages of the JavaScript engine, which name variables of the client that the caller does not know. */
const writtenByEngine =
  /is not a function|is not iterable|Cannot (?:read propert|convert|destructure)|Maximum call stack|operator|[Cc]ircular/

/** The error of a call; undefined if its request is sent. */
async function errorOf(call: (value: unknown) => unknown, value: unknown): Promise<Error | undefined> {
  try {
    await call(value)
    return undefined
  } catch (error) {
    assert.ok(error instanceof Error, String(error))
    return error
  }
}

describe('an argument that the types exclude is one clear error, or is sent', () => {
  for (const [name, call] of Object.entries({ ...calls, ...plainCalls })) {
    test(name, async () => {
      for (const [kind, value] of Object.entries(
        name in calls ? { ...plainValues, ...unwritableObjects } : plainValues,
      )) {
        const error = await errorOf(call, value)
        if (error === undefined) continue
        assert.doesNotMatch(error.message, writtenByEngine, kind)
        // The official package throws a TypeError for a form that cannot be sent, and for two credentials.
        assert.ok(error instanceof AnthropicError || /^Cannot (?:send|use)/.test(error.message), `${kind}: ${error}`)
      }
    })
  }
})

const texts: [name: string, call: () => unknown, message: string | RegExp][] = [
  [
    'create() of deep nesting',
    () => client.messages.create({ ...hello, messages: [{ role: 'user', content: nested() }] }),
    'Cannot encode the request body as JSON: messages.0.content is nested too deep',
  ],
  [
    'create() of a deep tool input',
    () =>
      client.messages.create({
        ...hello,
        messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 't', name: 'n', input: { a: nested() } }] }],
      }),
    'Cannot encode the request body as JSON: messages.0.content is nested too deep',
  ],
  [
    'a symbol in a header',
    () => client.messages.create(hello, { headers: { 'x-a': Symbol('secret') } }),
    'Cannot send the header x-a: a header cannot hold its name or value',
  ],
  [
    'a symbol in betas',
    () => client.messages.create(hello, { betas: [Symbol('s')] }),
    'Cannot use betas as it must be a list of texts',
  ],
  [
    'a query that contains itself',
    () => client.models.list(circle),
    /^Cannot use the query self\[self\].*… as it is nested too deep$/,
  ],
  [
    'a form that contains itself',
    () => client.files.upload(circle),
    /^Cannot send self\[self\].*… in a form: it is nested too deep$/,
  ],
  [
    'tools of a runner',
    () => client.beta.messages.toolRunner({ ...hello, tools: 5 }).runUntilDone(),
    'Cannot use tools as it must be a list of objects',
  ],
  [
    'loneSurrogates',
    () => client.messages.create(hello, { loneSurrogates: 'refused' }),
    'Cannot use loneSurrogates as it must be replace or refuse',
  ],
  [
    'abortedLoops',
    () => new Anthropic({ ...own, abortedLoops: true } as never),
    'Cannot use abortedLoops as it must be throw or end',
  ],
  ['onRetry', () => new Anthropic({ ...own, onRetry: 'x' } as never), 'Cannot use onRetry as it must be a function'],
  ['a method', () => client.messages.create(hello, { method: 5 }), 'Cannot use method as it must be text'],
  ['a request without options', () => client.request(null), 'Cannot use method as it must be text'],
  [
    'an id',
    () => client.models.retrieve(circle),
    /^Cannot request \/v1\/models\/… without an id: found "\[object Object\]" \(object\)$/,
  ],
  [
    'credentials',
    () => (new Anthropic({ ...own, apiKey: null, credentials: 'x' } as never) as Untyped).messages.create(hello),
    'Cannot use credentials as it must be a function',
  ],
]

for (const [name, call, message] of texts) {
  test(`the error for ${name} says what is wrong`, async () => {
    const error = await errorOf(call, undefined)
    if (typeof message === 'string') assert.equal(error?.message, message)
    else assert.match(error?.message ?? '', message)
  })
}

test('an error of a getter or of toJSON() arrives with its text', async () => {
  const faults: Record<string, Untyped> = {
    getter: {
      get value() {
        throw new Error('hostile getter')
      },
    },
    toJSON: {
      toJSON() {
        throw new Error('hostile toJSON')
      },
    },
  }
  for (const [name, fault] of Object.entries(faults)) {
    const bodies = [
      { ...hello, messages: fault },
      { ...hello, messages: [{ role: 'user', content: [fault] }] },
    ]
    for (const body of bodies) {
      const error = await errorOf(() => client.messages.create(body), undefined)
      assert.match(error?.message ?? '', new RegExp(`^Cannot encode the request body as JSON: .*hostile ${name}`))
      assert.ok(error instanceof AnthropicError)
    }
  }
})

test('null for all options of a client is the same as none', () => {
  const copy: Untyped = client.withOptions(null)
  assert.deepEqual([copy.apiKey, copy.baseURL, copy.maxRetries], ['key', 'http://colloquy.test', 0])
  assert.equal((new Anthropic(null) as Untyped).maxRetries, 2)
})

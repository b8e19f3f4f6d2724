// The oldest runtimes that the client supports, by removing the built-ins that they lack: Safari 16, React Native.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { hello, helloEvents, params } from './request/fault-server.test.ts'

const missing = [
  'AbortSignal.any',
  'Array.fromAsync',
  'Array.prototype.toReversed',
  'Array.prototype.toSorted',
  'Array.prototype.toSpliced',
  'Array.prototype.with',
  'Iterator.from',
  'Map.groupBy',
  'Object.groupBy',
  'Promise.try',
  'Promise.withResolvers',
  'Set.prototype.union',
  'Symbol.asyncDispose',
  'URL.canParse',
  'URL.parse',
]

const program = `
  const remove = (path) => {
    const names = path.split('.')
    const owner = names.slice(0, -1).reduce((object, name) => object?.[name], globalThis)
    if (owner) try { delete owner[names.at(-1)] } catch {}
  }
  // The platform itself may need them while it loads.
  await (await globalThis.fetch('data:,x')).text()
  await import('node:http')
  const { Anthropic } = await import(process.argv[1])
  for (const path of JSON.parse(process.argv[2])) remove(path)
  const [hello, events, params] = JSON.parse(process.argv[3])
  const isStream = (init) => JSON.parse(init.body).stream === true
  const fetch = async (_, init) =>
    isStream(init)
      ? new Response(events.map((event) => 'data: ' + JSON.stringify(event) + '\\n\\n').join(''), { headers: { 'content-type': 'text/event-stream' } })
      : Response.json(hello)
  const client = new Anthropic({ apiKey: 'key', baseURL: 'http://a.test', fetch })
  const tool = { type: 'custom', name: 'a', description: 'a', input_schema: { type: 'object' }, run: () => 'x', parse: (input) => input }
  const found = {
    create: (await client.messages.create(params)).id,
    stream: await client.messages.stream(params).finalText(),
    surrogate: (await client.messages.create({ ...params, system: 'Hello \\ud83d' })).id,
    runner: (await client.beta.messages.toolRunner({ ...params, tools: [tool] })).id,
    error: await client.messages.create(params, { timeOut: 1 }).catch((error) => error.message.slice(0, 38)),
  }
  console.log(JSON.stringify(found))
`

test('the client works without the built-ins that older runtimes lack', () => {
  const index = new URL('client.ts', import.meta.url).href
  const inputs = [JSON.stringify(missing), JSON.stringify([hello, helloEvents, params])]
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program, index, ...inputs], {
    encoding: 'utf8',
  })
  assert.deepEqual(JSON.parse(output), {
    create: hello.id,
    stream: 'Hello!',
    surrogate: hello.id,
    runner: hello.id,
    error: 'Cannot use the request option timeOut:',
  })
})

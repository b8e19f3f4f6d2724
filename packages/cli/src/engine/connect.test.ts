import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { accumulate } from 'colloquy/protocol'
import { describeError } from '../errors/describe-error.ts'
import { ExitCode } from '../exit.ts'
import { Flags } from '../flags.ts'
import { connect } from './connect.ts'

test('a model’s server that ends its reply too early is an error of the network, in its own words', async (t) => {
  const server = createServer((request, response) => {
    if (!request.url?.endsWith('/chat/completions')) return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    return response.end('data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const { engine } = await connect({ kind: 'chat', url }, new Flags(new Map([['retries', '0']])))
  const request = { model: 'm', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hello' }] }
  await assert.rejects(accumulate(engine(request)), (error) => {
    const { exitCode, line } = describeError(error)
    assert.deepEqual([exitCode, line], [ExitCode.network, 'The stream ended before the message was complete.'])
    return true
  })
})

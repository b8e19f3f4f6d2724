import Anthropic from 'colloquy'
import { createServer } from '@colloquy/server'
import { engine, key } from './engine.ts'
import { type Promises, equal, failure, ok } from './promise.ts'

/** The behavior of the server in process, without a port. */
export const serverPromises: Promises = {
  'the server answers a client in the same process': async () => {
    const { fetch } = createServer({ engine: engine(), keys: [key] })
    const client = new Anthropic({ fetch, baseURL: 'http://colloquy.test', apiKey: key, dangerouslyAllowBrowser: true })
    const request = { model: 'claude-sonnet-4-6', max_tokens: 1024 }
    const stream = client.messages.stream({ ...request, messages: [{ role: 'user', content: 'What is 6 * 7?' }] })
    equal(await stream.finalText(), '6 * 7 = 42')
    const error = await failure(client.messages.create({ ...request, messages: [] }))
    ok(error instanceof Anthropic.BadRequestError, `${String(error)} is a BadRequestError`)
    const refused = await failure(client.withOptions({ apiKey: 'sk-wrong' }).models.list())
    ok(refused instanceof Anthropic.AuthenticationError, `${String(refused)} is an AuthenticationError`)
  },
}

// Asks one client, in a process of its own: its package, its options and the number of requests as JSON are the parameters.
import type * as sdk from '@anthropic-ai/sdk'

const [name = '', options = '{}', count = '1'] = process.argv.slice(2)
const { default: Anthropic } = (await import(name)) as typeof sdk
const request = { model: 'm', max_tokens: 1, messages: [{ role: 'user' as const, content: 'Hi' }] }

try {
  const given = JSON.parse(options) as sdk.ClientOptions
  const client = new Anthropic({ maxRetries: 1, logLevel: 'off', ...given })
  for (let i = 0; i < Number(count); i++) {
    const { id } = await (i % 2 ? client.withOptions({ timeout: 9000 }) : client).messages.create(request)
    process.stdout.write(`${id}\n`)
  }
} catch (error) {
  process.stdout.write(error instanceof Anthropic.APIError ? error.constructor.name : 'refused')
}

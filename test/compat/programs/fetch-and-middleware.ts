import Anthropic, { type ClientOptions } from '@anthropic-ai/sdk'

const log: string[] = []

const options: ClientOptions = {
  maxRetries: 2,
  defaultHeaders: { 'x-app': 'demo' },
  fetch: async (url, init) => {
    const headers = new Headers(init?.headers as ConstructorParameters<typeof Headers>[0])
    log.push(`${init?.method} ${new URL(String(url)).pathname} ${headers.get('x-app')} ${headers.get('x-trace')}`)
    if (log.length === 1) return new Response('busy', { status: 503, headers: { 'retry-after-ms': '1' } })
    return globalThis.fetch(url, init)
  },
  middleware: [
    async (request, next) => {
      const headers = new Headers(request.headers)
      headers.set('x-trace', `try-${log.length + 1}`)
      const response = await next({ ...request, headers })
      log.push(`answered ${response.status}`)
      return response
    },
  ],
}

const client = new Anthropic(options)
const message = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 20,
  messages: [{ role: 'user', content: 'Hi' }],
})
console.log(message.role)
console.log(log.join('\n'))

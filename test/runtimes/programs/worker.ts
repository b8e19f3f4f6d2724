// Runs in workerd: the server of `engine.ts`, and the promises against a given server.
import { createServer } from '@colloquy/server'
import { clientPromises } from './client.ts'
import { conversationPromises } from './conversation.ts'
import { engine, key } from './engine.ts'
import { hold } from './promise.ts'
import { serverPromises } from './server.ts'

const server = createServer({ engine: engine(), keys: [key] })
const promises = { ...clientPromises, ...conversationPromises, ...serverPromises }

interface Handler {
  fetch(request: Request): Promise<Response>
}

const handler: Handler = {
  async fetch(request) {
    const url = new URL(request.url)
    if (url.pathname !== '/report') return server.fetch(request)
    return Response.json(await hold(promises, { baseURL: url.searchParams.get('api')! }))
  },
}

// workerd requires a default export.
export default handler

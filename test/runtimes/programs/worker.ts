// What workerd runs: the server of `engine.ts`, and beside it the promises against the server that it is told.
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

// The one default export that there is: workerd looks for it.
export default handler

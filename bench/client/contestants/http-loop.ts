import type { IncomingMessage } from 'node:http'
import type { Contestant } from '../contestant.ts'
import { handLoop, hasThreeDeltas, headers } from './loop.ts'

/** A hand-written loop over `node:http` or `node:https`. */
export function connect(_library: unknown, url: string): Contestant {
  // A static import would also load `fetch`.
  const http = process.getBuiltinModule(url.startsWith('https') ? 'node:https' : 'node:http')
  const agent = new http.Agent({ keepAlive: true })

  function post(body: string, answered: (response: IncomingMessage) => void, failed: (error: Error) => void): void {
    http
      .request(`${url}/v1/messages`, { method: 'POST', agent, headers }, (response) => {
        response.setEncoding('utf8')
        response.on('error', failed)
        if (response.statusCode === 200) answered(response)
        else response.destroy(new Error(`The response has the status ${response.statusCode}`))
      })
      .on('error', failed)
      .end(body)
  }

  return handLoop({
    stream: (body, receive) =>
      new Promise((resolve, reject) => {
        const taken = (response: IncomingMessage) => (piece: string) => {
          try {
            receive(piece)
          } catch (error) {
            response.destroy(error as Error)
          }
        }
        post(body, (response) => response.on('data', taken(response)).on('end', resolve), reject)
      }),
    whole: (body) =>
      new Promise((resolve, reject) => {
        let text = ''
        const take = (piece: string): void => void (text += piece)
        post(body, (response) => response.on('data', take).on('end', () => resolve(text)), reject)
      }),
    open: (body) =>
      new Promise((resolve, reject) => {
        let text = ''
        const taken = (response: IncomingMessage) => (piece: string) => {
          text += piece
          if (hasThreeDeltas(text)) resolve(response)
        }
        post(body, (response) => response.on('data', taken(response)), reject)
      }),
  })
}
